"""All problem codes: those of the API and those that API Gateway answers by itself, with their meanings."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.http.problem_texts import PROBLEMS
from chalicelib.strict_json import load_data_file
from infra.template import join_template

_LANGUAGE_SEPARATOR = " / "


@dataclass(frozen=True)
class LocalizedText:
    """A text in Indonesian (`id`) and English (`en`)."""

    id: str
    en: str


@dataclass(frozen=True)
class ProblemCode:
    """A problem code with its status, title and meaning."""

    code: str
    status: int
    title: LocalizedText
    meaning: LocalizedText


_MEANINGS_FILE = Path(__file__).with_name("meanings.json")


@cache
def load_meanings() -> dict[str, LocalizedText]:
    """Return the meaning of each code for the caller. A test fails for a code without one."""
    meanings = load_data_file(_MEANINGS_FILE.read_text(encoding="utf-8"))
    return {code: LocalizedText(**texts) for code, texts in meanings.items()}


@cache
def load_codes() -> dict[str, ProblemCode]:
    """Return all problem codes. Raise KeyError for a code without a meaning."""
    titles = {
        code: (problem.status, LocalizedText(problem.indonesian, problem.english))
        for code, problem in PROBLEMS.items()
    }
    for body in _load_gateway_bodies():
        indonesian, _, english = body["title"].partition(_LANGUAGE_SEPARATOR)
        titles.setdefault(body["code"], (body["status"], LocalizedText(indonesian, english)))
    return {
        code: ProblemCode(code, status, title, load_meanings()[code])
        for code, (status, title) in sorted(titles.items())
    }


def _load_gateway_bodies() -> list[dict[str, Any]]:
    """Return the bodies that API Gateway answers with by itself."""
    responses = join_template()["Resources"]["RestAPI"]["Properties"]["GatewayResponses"].values()
    return [json.loads(body) for response in responses for body in response["ResponseTemplates"].values()]
