"""The manager's text: one part, whatever the campaign is called and however large its figures."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.languages import LANGUAGES
from chalicelib.messaging.segments import split_segments
from chalicelib.rollups.model import Counts
from chalicelib.rollups.renderings import sms
from tests.support.report_builders import make_report


def test_it_tells_the_day_the_campaign_and_how_sure_they_are() -> None:
    assert sms.render_body(make_report(), "id") == (
        "Aktivasi Pasar Tanah Abang 10 Okt: 157 terdaftar, 330 dari target 500. "
        "Sementara; 1 hari lain direvisi."
    )


def test_it_speaks_english_on_request() -> None:
    assert sms.render_body(make_report(revisions=()), "en") == (
        "Aktivasi Pasar Tanah Abang 10 Oct: 157 registered, 330 of target 500. Provisional."
    )


def test_a_campaign_without_a_target_has_its_sum() -> None:
    told = sms.render_body(make_report(campaign={"target": 0}, revisions=()), "id")

    assert "157 terdaftar, seluruhnya 330." in told


def test_a_long_name_gives_way_to_the_figures() -> None:
    told = sms.render_body(make_report(campaign={"name": "Pasar " * 20}), "id")

    assert "...: " in told.replace(" 10 Okt", "")
    assert told.endswith("157 terdaftar, 330 dari target 500. Sementara; 1 hari lain direvisi.")
    assert len(told) > 150


@pytest.mark.parametrize("language", LANGUAGES)
@given(
    name=some.text(min_size=1, max_size=120), created=some.integers(0, 10_000_000), days=some.integers(0, 366)
)
def test_it_is_one_part_always(language: Any, name: Any, created: Any, days: Any) -> None:
    report = make_report(
        campaign={"name": name, "target": 10_000_000},
        summary={
            "counts": Counts(captures=0, created=created, already_registered=0, reactivated=0, refused=0)
        },
        curve=(),
    )
    told = sms.render_body(
        make_report(campaign=report.campaign.model_dump(), revisions=make_report().revisions * days), language
    )

    travels = split_segments(told)
    assert (travels.encoding, len(travels.parts)) == ("GSM", 1)
    assert str(days) in told or not days
