"""Codes: every one that a caller can get is in the tables of `problems`, in both languages."""

import ast
import importlib
from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic_core.core_schema import ErrorType

from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.http.problem_texts import PROBLEMS
from chalicelib.http.problems import to_field_code
from chalicelib.refusals import Refusal
from tests.support.source_tree import iter_calls, parse_modules

# Codes that are answered without a refusal.
WITHOUT_REFUSAL = {"json_malformed", "body_invalid", "internal_error"}


def iter_subclasses(refusal: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in refusal.__subclasses__():
        yield each
        yield from iter_subclasses(each)


def list_refusals() -> list[type[Refusal]]:
    for path in parse_modules():
        importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    return sorted(iter_subclasses(Refusal), key=lambda refusal: refusal.__name__)


def find_string_arguments(call: ast.Call) -> set[str]:
    values = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "code")]
    return {each.value for each in values if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def find_codes(function: str, *, position: int, path: str = "") -> set[str]:
    """Return the literal codes in calls of a function, as the argument at a position or as `code=`.

    Only modules below `path` are searched.
    """
    found = set()
    for module, tree in parse_modules().items():
        for name, node in iter_calls(tree):
            if name == function and module.startswith(path):
                positional = node.args[position : position + 1]
                found |= find_string_arguments(
                    ast.Call(func=node.func, args=positional, keywords=node.keywords)
                )
    return found


def find_rule_codes() -> set[str]:
    return (
        find_codes("BrokenRule", position=1)
        | find_codes("InvalidNIK", position=0)
        | find_codes("InvalidPhone", position=0)
        | find_codes("InvalidName", position=0)
        | find_codes("PydanticCustomError", position=0)
    )


@pytest.mark.parametrize("refusal", list_refusals(), ids=lambda refusal: refusal.__name__)
def test_every_refusal_is_a_problem(refusal: type[Refusal]) -> None:
    assert refusal.code in PROBLEMS


def test_every_problem_belongs_to_a_refusal() -> None:
    assert set(PROBLEMS) == WITHOUT_REFUSAL | {refusal.code for refusal in list_refusals()}


def test_the_search_for_rule_codes_finds_them() -> None:
    assert {
        *("nik_length", "phone_foreign", "name_empty", "captured_in_future", "days_out_of_order"),
        *("programmes_not_offered", "age_too_young"),
    } <= find_rule_codes()


@pytest.mark.parametrize("code", sorted(find_rule_codes()))
def test_every_broken_rule_has_a_message(code: str) -> None:
    assert code in FIELD_MESSAGES


@pytest.mark.parametrize("code", sorted(find_codes("PydanticCustomError", position=0)))
def test_a_custom_error_of_a_model_keeps_its_code(code: str) -> None:
    assert to_field_code(code) == code


def test_every_error_type_of_pydantic_has_a_message() -> None:
    error_types = get_args(ErrorType)
    assert "missing" in error_types
    assert [each for each in error_types if to_field_code(each) not in FIELD_MESSAGES] == []


@pytest.mark.parametrize("code", FIELD_MESSAGES)
def test_every_message_is_in_both_languages(code: str) -> None:
    message = FIELD_MESSAGES[code]
    assert message.indonesian
    assert message.english
    assert message.indonesian != message.english


@pytest.mark.parametrize("path", [path for path in parse_modules() if path.endswith("/errors.py")])
def test_the_docstring_of_an_errors_module_names_each_of_its_errors(path: str) -> None:
    docstring = ast.get_docstring(parse_modules()[path]) or ""
    classes = [node.name for node in parse_modules()[path].body if isinstance(node, ast.ClassDef)]
    assert [name for name in classes if name not in docstring] == []
