"""Amounts of money: one formatter, and the same way of writing them in every text of ours."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rupiah import format_rupiah
from tests.support.source_tree import ROOT

TEXTS = ("*.py", "*.json", "*.j2", "*.js", "*.md", "*.yaml")
FOLDERS = ("chalicelib", "ops", "infra", "docs", "examples")
# An amount, or the currency alone, which code could put before a number: both are found by their letters.
CURRENCY = re.compile(r"(?<![A-Za-z])(?:Rp|IDR)(?![a-z])")
WELL_FORMED = re.compile(r"Rp(?:0|[1-9]\d{0,2}(?:\.\d{3})*)(?![.,\s]?\d)")
FORMATTERS = {
    "chalicelib/rupiah.py": 'f"Rp{amount:,}"',
    "chalicelib/web/static/rules/rupiah.js": "`Rp${groupThousands(amount)}`",
    # A number format of Excel; `test_csv_and_xlsx.py` and LibreOffice check what it shows.
    "chalicelib/rollups/renderings/xlsx.py": "'[$-421]\"Rp\"#,##0'",
}


def find_malformed(text: str) -> list[str]:
    """Return the places that name the currency other than in a well-formed amount."""
    return [
        text[found.start() : found.start() + 20]
        for found in CURRENCY.finditer(text)
        if not WELL_FORMED.match(text, found.start())
    ]


@pytest.mark.parametrize("text", ["Rp 16.800", "Rp\N{NO-BREAK SPACE}16.800", "Rp16,800", "Rp16800", "IDR 5"])
def test_the_search_finds_every_other_way_of_writing_an_amount(text: str) -> None:
    assert find_malformed(text)


@given(st.integers(0, 10**15))
def test_an_amount_is_written_with_full_stops_and_without_a_space(amount: int) -> None:
    written = format_rupiah(amount)

    assert WELL_FORMED.fullmatch(written)
    assert int(written.removeprefix("Rp").replace(".", "")) == amount


def test_no_text_of_ours_writes_an_amount_in_another_way() -> None:
    paths = [path for folder in FOLDERS for pattern in TEXTS for path in (ROOT / folder).rglob(pattern)]
    found = {}
    for path in [*paths, ROOT / "README.md"]:
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        if malformed := find_malformed(text.replace(FORMATTERS.get(name, "\0"), "")):
            found[name] = malformed

    assert found == {}
