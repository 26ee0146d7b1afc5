"""Names and docstrings use the standard words: none of the first version's own language comes back."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT

PRODUCT = ("app.py", "chalicelib", "ops", "infra", "bench")
MAX_LINES = 400

# Words that the first version used for what AWS, HTTP, messaging or Python have a word for.
CLASSES = {
    *(
        "Surroundings",
        "Terms",
        "Registrar",
        "Casework",
        "Erasing",
        "PrivacyDesk",
        "CampaignOffice",
        "Registry",
    ),
    *("Sightings", "Quoting", "Taken", "Standing", "Known", "Life", "Happening", "Submitted", "Contended"),
    *("PhoneBusy", "WorkerKnown", "CaptureKnown", "News", "Never", "TryLater", "LeftAlone", "StopEverything"),
    *(
        "Line",
        "LineBusy",
        "Brakes",
        "EnoughToday",
        "Braked",
        "Mark",
        "Marks",
        "LaidAside",
        "Waiting",
        "Reader",
    ),
    *("Told", "Way", "Post", "Shelf", "Unusual", "Oddity", "FunctionFailed", "RoundIncomplete", "Relay"),
    *("Notifier", "Deliverer", "Text", "Texts", "TextState", "MessageId", "Scene", "Meddled"),
}
FUNCTIONS = {
    *("speaks_with_strangers", "add_unseen", "announce", "news", "led_to", "told_of", "known_as", "words"),
    *("tell", "take_up", "note", "lost_sight_of", "not_taken", "put_off", "given_up", "looked_after", "pace"),
    *("mark", "unmark", "marks", "lay_aside", "laid_aside", "ask", "take_turn", "end_turn", "figures"),
    *("element", "wordless", "log_unforeseen", "strips", "piles", "oddities", "blank", "wording", "telling"),
}
PARAMETERS = {
    *(
        "of",
        "at",
        "around",
        "by",
        "after",
        "known_reference",
        "occasion",
        "led_to",
        "told_of",
        "known_as",
        "words",
    ),
}
MODULES = {
    *(
        "wiring",
        "relay",
        "occasions",
        "wording",
        "pace",
        "telling",
        "figures",
        "markup",
        "sending",
        "interrupts",
    ),
    *(
        "casework",
        "erasing",
        "scenes",
        "lives",
        "happenings",
        "meddling",
        "stage",
        "stored",
        "strangers",
        "story",
    ),
    *("privacy", "utils", "common", "helpers"),
}
RIDDLES = re.compile(r"^(What|Whether|Who|Whose|Whom|Where|When|How|That|Why)\b")


@cache
def trees(*places: str) -> dict[str, ast.Module]:
    paths = [
        path
        for place in places
        for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
    ]
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(paths)
    }


def everything() -> dict[str, ast.Module]:
    return trees(*PRODUCT, "tests")


def definitions(tree: ast.Module, kind: type[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in ast.walk(tree) if isinstance(node, kind))


def names_of(kind: type[ast.AST], forbidden: set[str]) -> list[str]:
    found = [
        f"{path}:{node.lineno} {node.name}"  # type: ignore[attr-defined]
        for path, tree in everything().items()
        for node in definitions(tree, kind)
        if node.name.removeprefix("_") in forbidden  # type: ignore[attr-defined]
    ]
    assert len(everything()) > 300, "the tree was not read"
    return found


def test_no_class_has_a_name_of_the_old_language() -> None:
    assert names_of(ast.ClassDef, CLASSES) == []


def test_no_function_has_a_name_of_the_old_language() -> None:
    assert names_of(ast.FunctionDef, FUNCTIONS) == []


def test_no_module_has_a_name_of_the_old_language() -> None:
    parts = {(path, part.removesuffix(".py")) for path in everything() for part in path.split("/")}
    assert sorted(path for path, part in parts if part in MODULES) == []


def test_no_parameter_of_the_product_is_a_preposition_or_an_old_word() -> None:
    found = [
        f"{path}:{argument.lineno} {argument.arg}"
        for path, tree in trees(*PRODUCT).items()
        for function in definitions(tree, ast.FunctionDef)
        for argument in ast.walk(function.args)  # type: ignore[attr-defined]
        if isinstance(argument, ast.arg) and argument.arg in PARAMETERS
    ]
    assert found == []


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text


def test_docstrings_say_what_a_thing_does_verb_first() -> None:
    riddles = [
        f"{path}:{line} {text.splitlines()[0]}"
        for path, tree in trees(*PRODUCT, "tests/support").items()
        for line, text in docstrings(tree)
        if RIDDLES.match(text)
    ]
    assert riddles == []


def sources() -> list[Path]:
    kinds = {".py", ".yaml", ".j2", ".css", ".js"}
    return [
        path
        for place in (*PRODUCT, "tests")
        for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*"))
        if path.suffix in kinds and "__pycache__" not in path.parts
    ]


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in sources()])
def test_no_source_file_and_no_test_file_is_longer_than_a_person_reads_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
