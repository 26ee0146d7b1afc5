"""Phrases and labels in both languages, and the format of numbers and days in each."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest

from chalicelib.callers import Channel
from chalicelib.campaigns.model import Zone
from chalicelib.contributions.model import Programme
from chalicelib.languages import LANGUAGES
from chalicelib.notifications.model import SmsState
from chalicelib.registrations.nik import Sex
from chalicelib.rollups.model import Anomaly, Counts, Funnel, Money, Tally
from chalicelib.rollups.renderings.i18n import Localizer, load_phrases
from tests.structure.test_problem_codes import find_codes
from tests.support.source_tree import ROOT

ID, EN = Localizer("id"), Localizer("en")


def iter_translations(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every translated entry of the file with its path."""
    if isinstance(node, dict):
        if set(node) & set(LANGUAGES):
            yield path, node
        else:
            for name, inner in node.items():
                yield from iter_translations(inner, f"{path}.{name}")


@pytest.mark.parametrize(
    "translations",
    [pytest.param(translations, id=path) for path, translations in iter_translations(load_phrases())],
)
def test_each_entry_is_in_both_languages_with_the_same_placeholders(translations: dict[str, Any]) -> None:
    assert set(translations) == set(LANGUAGES)
    if isinstance(translations["id"], str):
        placeholders = [sorted(re.findall(r"{(\w+)}", translations[each])) for each in LANGUAGES]
        assert placeholders[0] == placeholders[1]


@pytest.mark.parametrize(
    ("group", "keys"),
    [
        ("by_channel", Channel),
        ("by_sex", Sex),
        ("by_programme", get_args(Programme)),
        ("texts", SmsState),
        ("funnel", Funnel.model_fields),
    ],
)
def test_every_key_of_a_breakdown_has_a_label(group: str, keys: Iterable[str]) -> None:
    labels = load_phrases()["labels"][group]

    assert set(labels) == {str(key) for key in keys}


def test_every_figure_of_a_summary_has_a_label() -> None:
    phrases = load_phrases()
    breakdowns = {name for name in Tally.model_fields if name.startswith("by_")}

    assert breakdowns <= set(phrases["groups"])
    assert set(Counts.model_fields) == set(phrases["counts"])
    assert {f"money_{name}" for name in Money.model_fields} <= set(phrases["phrases"])


def test_every_reason_to_refuse_a_capture_has_a_label() -> None:
    refused = find_codes("BrokenRule", position=1, path="chalicelib/registrations/rules.py")
    refused |= find_codes("InvalidNIK", position=0) | find_codes("InvalidPhone", position=0)
    refused |= find_codes("InvalidName", position=0)

    assert refused
    assert refused <= set(load_phrases()["labels"]["refused_by_reason"])


def test_every_zone_of_a_campaign_has_a_label() -> None:
    assert set(load_phrases()["calendar"]["zones"]) == set(get_args(Zone))


def test_a_key_without_a_label_is_its_own_label() -> None:
    assert ID.get_cell_label("by_client", "van-1") == "van-1"
    assert ID.get_cell_label("by_occupation", "lamplighter") == "lamplighter"


def test_the_label_of_an_occupation_comes_from_the_list_of_occupations() -> None:
    assert (
        ID.get_cell_label("by_occupation", "market_trader"),
        EN.get_cell_label("by_occupation", "market_trader"),
    ) == (
        "Pedagang pasar",
        "Market trader",
    )


def test_numbers_have_the_format_of_the_language() -> None:
    assert (ID.format_number(1_234_500), EN.format_number(1_234_500)) == ("1.234.500", "1,234,500")
    assert (ID.format_difference(14), ID.format_difference(-1_000), ID.format_difference(0)) == (
        "+14",
        "\N{MINUS SIGN}1.000",
        "0",
    )
    assert (ID.format_share(0.0433), EN.format_share(0.0433), ID.format_share(0.66)) == (
        "4,3%",
        "4.3%",
        "66%",
    )


def test_days_are_written_in_full() -> None:
    assert ID.format_day(date(2024, 10, 9)) == "Rabu, 9 Oktober 2024"
    assert EN.format_day(date(2024, 10, 9)) == "Wednesday, 9 October 2024"


@pytest.mark.parametrize(
    ("zone", "formatted"),
    [
        ("Asia/Jakarta", "Rabu, 9 Oktober 2024, 23.30 WIB"),
        ("Asia/Pontianak", "Rabu, 9 Oktober 2024, 23.30 WIB"),
        ("Asia/Makassar", "Kamis, 10 Oktober 2024, 00.30 WITA"),
        ("Asia/Jayapura", "Kamis, 10 Oktober 2024, 01.30 WIT"),
    ],
)
def test_a_time_is_shown_in_the_campaigns_zone(zone: str, formatted: str) -> None:
    assert ID.format_datetime(datetime(2024, 10, 9, 16, 30, tzinfo=UTC), zone) == formatted


def test_every_phrase_is_used() -> None:
    folder = ROOT / "chalicelib" / "rollups" / "renderings"
    files = [*folder.glob("*.py"), *folder.glob("templates/*.j2")]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    # Composed of a prefix or a suffix and the name of a figure, a state or a notice, or named by a pattern.
    composed = re.compile(r"(money|sms)_\w+|board_(refused|stale)|(provisional|final)(_means)?")
    patterns = set(get_args(Anomaly.model_fields["pattern"].annotation))

    unused = {
        phrase
        for phrase in load_phrases()["phrases"]
        if not re.search(rf"""["']{phrase}["']|\b{phrase}=""", source) and not composed.fullmatch(phrase)
    }
    assert unused - patterns == set()
