"""Every code that a caller can get is in the tables of `problems`, in both languages."""

import ast
import importlib
from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic_core.core_schema import ErrorType

from chalicelib.http.problems import FIELD_MESSAGES, PROBLEMS, to_field_code
from chalicelib.refusals import Refusal
from tests.support.source_tree import iter_calls, parse_modules

# What `problems` says by itself, when no refusal was raised.
OWN = {"json_malformed", "body_invalid", "internal_error"}


def subclasses(of: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in of.__subclasses__():
        yield each
        yield from subclasses(each)


def every_refusal() -> list[type[Refusal]]:
    for path in parse_modules():
        importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    return sorted(subclasses(Refusal), key=lambda refusal: refusal.__name__)


def literals(of: ast.Call) -> set[str]:
    given = [*of.args, *(keyword.value for keyword in of.keywords if keyword.arg == "code")]
    return {each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def codes_given(call: str, *, position: int) -> set[str]:
    """The codes written out where something is called, as the argument at a position or as `code=`."""
    found = set()
    for tree in parse_modules().values():
        for name, node in iter_calls(tree):
            if name == call:
                positional = node.args[position : position + 1]
                found |= literals(ast.Call(func=node.func, args=positional, keywords=node.keywords))
    return found


def rule_codes() -> set[str]:
    return (
        codes_given("add_broken_rule", position=1)
        | codes_given("BrokenRule", position=1)
        | codes_given("InvalidNIK", position=0)
        | codes_given("InvalidPhone", position=0)
        | codes_given("InvalidName", position=0)
        | codes_given("PydanticCustomError", position=0)
    )


@pytest.mark.parametrize("refusal", every_refusal(), ids=lambda refusal: refusal.__name__)
def test_every_refusal_is_a_problem(refusal: type[Refusal]) -> None:
    assert refusal.code in PROBLEMS


def test_every_problem_can_happen() -> None:
    assert set(PROBLEMS) == OWN | {refusal.code for refusal in every_refusal()}


def test_the_search_for_rule_codes_finds_them() -> None:
    assert {
        *("nik_length", "phone_foreign", "name_empty", "captured_in_future", "days_out_of_order"),
        *("programmes_not_offered", "age_too_young"),
    } <= rule_codes()


@pytest.mark.parametrize("code", sorted(rule_codes()))
def test_every_broken_rule_has_a_message(code: str) -> None:
    assert code in FIELD_MESSAGES


@pytest.mark.parametrize("code", sorted(codes_given("PydanticCustomError", position=0)))
def test_a_rule_of_our_own_in_a_model_keeps_its_own_code(code: str) -> None:
    assert to_field_code(code) == code


def test_whatever_pydantic_finds_has_a_message() -> None:
    kinds = get_args(ErrorType)
    assert "missing" in kinds
    assert [kind for kind in kinds if to_field_code(kind) not in FIELD_MESSAGES] == []


@pytest.mark.parametrize("code", FIELD_MESSAGES)
def test_every_message_is_in_both_languages(code: str) -> None:
    message = FIELD_MESSAGES[code]
    assert message.indonesian
    assert message.english
    assert message.indonesian != message.english


@pytest.mark.parametrize("path", [path for path in parse_modules() if path.endswith("/errors.py")])
def test_the_tree_in_an_errors_module_names_each_of_its_errors(path: str) -> None:
    drawn = ast.get_docstring(parse_modules()[path]) or ""
    classes = [node.name for node in parse_modules()[path].body if isinstance(node, ast.ClassDef)]
    assert [name for name in classes if name not in drawn] == []
