"""The report SMS: one part, however long the campaign's name is and however large its figures are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.languages import LANGUAGES, Language
from chalicelib.messaging.segments import split_segments
from chalicelib.rollups.model import Counts
from chalicelib.rollups.renderings import sms
from tests.support.report_builders import make_report


def test_the_sms_has_the_totals_of_the_day_and_the_campaign_and_their_state() -> None:
    assert sms.render_body(make_report(), "id") == (
        "BPJAMSOSTEK: Aktivasi Pasar Tanah Abang 10 Okt: 157 terdaftar, 330 dari target 500. "
        "Sementara; 1 hari lain direvisi."
    )


def test_the_sms_is_english_on_request() -> None:
    assert sms.render_body(make_report(revisions=()), "en") == (
        "BPJAMSOSTEK: Aktivasi Pasar Tanah Abang 10 Oct: 157 registered, 330 of target 500. Provisional."
    )


def test_a_campaign_without_a_target_shows_its_total_alone() -> None:
    body = sms.render_body(make_report(campaign={"target": 0}, revisions=()), "id")

    assert "157 terdaftar, seluruhnya 330." in body


def test_a_long_name_is_cut_and_the_figures_are_not() -> None:
    body = sms.render_body(make_report(campaign={"name": "Pasar " * 20}), "id")

    assert "...: " in body.replace(" 10 Okt", "")
    assert body.endswith("157 terdaftar, 330 dari target 500. Sementara; 1 hari lain direvisi.")
    assert len(body) > 150


@pytest.mark.parametrize("language", LANGUAGES)
@given(name=st.text(min_size=1, max_size=120), created=st.integers(0, 10_000_000), days=st.integers(0, 366))
def test_the_sms_is_always_a_single_part(language: Language, name: str, created: int, days: int) -> None:
    report = make_report(
        campaign={"name": name, "target": 10_000_000},
        summary={
            "counts": Counts(
                captures=0,
                created=created,
                already_registered=0,
                reactivated=0,
                refused=0,
                registered=created,
            )
        },
        curve=(),
    )
    body = sms.render_body(
        make_report(campaign=report.campaign.model_dump(), revisions=make_report().revisions * days), language
    )

    segments = split_segments(body)
    assert (segments.encoding, len(segments.parts)) == ("GSM", 1)
    assert str(days) in body or not days
