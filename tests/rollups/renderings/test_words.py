"""What is said: everything in both languages, numbers and days as each writes them."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from tests.structure.test_codes import codes_given

from chalicelib.callers import Channel
from chalicelib.campaigns.model import Zone
from chalicelib.contributions.model import Programme
from chalicelib.languages import LANGUAGES
from chalicelib.notifications.model import SmsState
from chalicelib.registrations.nik import Sex
from chalicelib.rollups.model import Funnel
from chalicelib.rollups.renderings.i18n import Localizer, load_phrases
from tests.support.source_tree import ROOT

ID, EN = Localizer("id"), Localizer("en")


def pairs(node: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every place where something is said in each language."""
    if isinstance(node, dict):
        if set(node) & set(LANGUAGES):
            yield at, node
        else:
            for name, inner in node.items():
                yield from pairs(inner, f"{at}.{name}")


@pytest.mark.parametrize(
    ("at", "said"), list(pairs(load_phrases())), ids=lambda each: each if isinstance(each, str) else ""
)
def test_everything_is_said_in_both_languages_with_the_same_values(at: Any, said: Any) -> None:
    assert set(said) == set(LANGUAGES)
    if isinstance(said["id"], str):
        places = [sorted(part.partition("}")[0] for part in said[each].split("{")[1:]) for each in LANGUAGES]
        assert places[0] == places[1]


@pytest.mark.parametrize(
    ("group", "keys"),
    [
        ("by_channel", Channel),
        ("by_sex", Sex),
        ("by_programme", get_args(Programme) or Programme),
        ("texts", SmsState),
        ("funnel", Funnel.model_fields),
    ],
)
def test_whatever_is_counted_has_a_name(group: str, keys: Any) -> None:
    labels = load_phrases()["labels"][group]

    assert set(labels) == {str(key) for key in keys}


def test_every_reason_to_refuse_a_capture_has_a_name() -> None:
    refused = codes_given("add_broken_rule", position=1) | codes_given("InvalidNIK", position=0)
    refused |= codes_given("InvalidPhone", position=0) | codes_given("InvalidName", position=0)

    assert refused
    assert refused <= set(load_phrases()["labels"]["refused_by_reason"])


def test_every_zone_of_a_campaign_has_its_short_name() -> None:
    assert set(load_phrases()["calendar"]["zones"]) == set(get_args(Zone))


def test_a_key_without_a_name_is_its_own_name() -> None:
    assert ID.get_cell_label("by_client", "van-1") == "van-1"
    assert ID.get_cell_label("by_occupation", "lamplighter") == "lamplighter"


def test_an_occupation_is_called_what_the_list_of_occupations_calls_it() -> None:
    assert (
        ID.get_cell_label("by_occupation", "market_trader"),
        EN.get_cell_label("by_occupation", "market_trader"),
    ) == (
        "Pedagang pasar",
        "Market trader",
    )


def test_numbers_and_money_are_written_as_each_language_does() -> None:
    assert (ID.format_number(1_234_500), EN.format_number(1_234_500)) == ("1.234.500", "1,234,500")
    assert ID.format_rupiah(1_234_500) == "Rp\N{NO-BREAK SPACE}1.234.500"
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


def test_days_are_written_out() -> None:
    assert ID.format_day(date(2024, 10, 9)) == "Rabu, 9 Oktober 2024"
    assert EN.format_day(date(2024, 10, 9)) == "Wednesday, 9 October 2024"


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Asia/Jakarta", "Rabu, 9 Oktober 2024, 23.30 WIB"),
        ("Asia/Pontianak", "Rabu, 9 Oktober 2024, 23.30 WIB"),
        ("Asia/Makassar", "Kamis, 10 Oktober 2024, 00.30 WITA"),
        ("Asia/Jayapura", "Kamis, 10 Oktober 2024, 01.30 WIT"),
    ],
)
def test_a_moment_is_told_in_the_campaigns_own_zone(zone: str, told: str) -> None:
    assert ID.format_datetime(datetime(2024, 10, 9, 16, 30, tzinfo=UTC), zone) == told


def test_every_phrase_is_said_somewhere() -> None:
    folder = ROOT / "chalicelib" / "rollups" / "renderings"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
    # Said by the name of a figure, of a state or of a pattern.
    by_name = ("money_", "texts_", "board_refused", "board_stale", "provisional", "final")
    patterns = {"one_phone_many_workers", "neighbouring_serials"}

    unsaid = [phrase for phrase in load_phrases()["phrases"] if not re.search(rf"\b{phrase}\b", source)]
    assert [each for each in unsaid if not each.startswith(by_name) and each not in patterns] == []
