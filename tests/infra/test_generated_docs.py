"""The generated parts of the documentation agree with the template."""

from pathlib import Path

import pytest

from ops.docs import render_pages
from tests.support.template import PackagedTemplate

_ROOT = Path(__file__).parents[2]
_PAGES = ("docs/operating.md", "infra/README.md", "docs/commands.md")


@pytest.mark.parametrize("name", _PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    page = _ROOT / name
    assert page.read_text(encoding="utf-8") == render_pages()[page], "run: make docs"


def test_every_page_with_generated_parts_is_checked() -> None:
    assert set(render_pages()) == {_ROOT / name for name in _PAGES}


def test_the_operating_page_has_every_alarm(template: PackagedTemplate) -> None:
    text = (_ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    alarms = template.find_resources("AWS::CloudWatch::Alarm")
    assert [name for name in alarms if f"`{name}`" not in text] == []
