"""`docs/operating.md` says of every alarm what it means and what to do, and of no alarm that is not there."""

import re
from pathlib import Path

import pytest

from tests.support.template import PackagedTemplate

_GUIDE = Path(__file__).parents[2] / "docs" / "operating.md"
_PARAGRAPH = re.compile(r"^\*\*((?:`\w+`(?:,\s)?)+)\*\*(.+?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def runbook_sections() -> dict[str, str]:
    """What the guide says of each alarm."""
    paragraphs = _PARAGRAPH.findall(_GUIDE.read_text(encoding="utf-8"))
    return {name: text for names, text in paragraphs for name in re.findall(r"\w+", names)}


def test_every_alarm_has_its_paragraph(template: PackagedTemplate, runbook_sections: dict[str, str]) -> None:
    assert set(runbook_sections) == set(template.find_resources("AWS::CloudWatch::Alarm"))


def test_a_paragraph_says_what_an_alarm_means_and_what_to_do(runbook_sections: dict[str, str]) -> None:
    for name, text in runbook_sections.items():
        assert len(re.findall(r"[A-Z][^.:]+[.:]", text)) >= 2, name


def test_every_last_resort_is_named(template: PackagedTemplate) -> None:
    guide = _GUIDE.read_text(encoding="utf-8")
    assert [queue for queue in template.find_dead_letter_queues() if queue not in guide] == []
