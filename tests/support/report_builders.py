"""The report of the second day at Pasar Tanah Abang, and the times of the first. All of it is invented."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.campaigns.model import Campaign
from chalicelib.registrations.captures import CaptureFacts, Outcome
from chalicelib.rollups.model import (
    Anomaly,
    Change,
    Counts,
    Funnel,
    Money,
    Note,
    SmsCounts,
    Summary,
    SummaryState,
)
from chalicelib.rollups.report import CurvePoint, Report
from tests.support.payloads import make_campaign_payload

FIRST_DAY, SECOND_DAY = date(2024, 10, 9), date(2024, 10, 10)
SUMMARY_HOUR = datetime(2024, 10, 9, 13, tzinfo=UTC)  # 20:00 in Jakarta
FINAL = datetime(2024, 10, 10, 0, tzinfo=UTC)  # 07:00 in Jakarta
AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)
SPONSORS = [{"sponsor_id": "yayasan-contoh", "name": "Yayasan Contoh", "quota": 20}]
CREATED = CaptureFacts(Outcome.CREATED, "van", "van-1", ("porter",))


def make_report(**changes: Any) -> Report:
    """Return the report of the second day.

    `campaign` and `summary` are dictionaries of single fields to change; other arguments are report fields.
    """
    report = Report(
        campaign=Campaign.model_validate(
            {**make_campaign_payload(sponsors=SPONSORS), **changes.pop("campaign", {})}
        ),
        summary=_make_second_day_summary().model_copy(update=changes.pop("summary", {})),
        curve=(
            CurvePoint(FIRST_DAY, 173, registered=173, cumulative=173, version=3, state=SummaryState.FINAL),
            CurvePoint(
                SECOND_DAY, 159, registered=157, cumulative=330, version=2, state=SummaryState.PROVISIONAL
            ),
        ),
        revisions=(_make_first_day_summary(),),
    )
    return replace(report, **changes)


def _make_second_day_summary() -> Summary:
    return Summary(
        campaign_id="tanah-abang-2024",
        day=SECOND_DAY,
        version=2,
        state=SummaryState.PROVISIONAL,
        counted_at="2024-10-10T15:00:04.512Z",
        content_hash="b" * 64,
        counts=Counts(
            captures=170, created=159, already_registered=10, reactivated=1, refused=7, registered=157
        ),
        by_channel={"kiosk": 34, "van": 123},
        by_client={"kiosk-1": 34, "van-1": 64, "van-2": 59},
        by_occupation={
            "angkot_driver": 7,
            "courier": 7,
            "food_vendor": 18,
            "market_trader": 35,
            "odd_jobs": 3,
            "ojek_driver": 11,
            "parking_attendant": 6,
            "porter": 49,
            "shop_owner": 9,
            "street_vendor": 14,
            "tailor": 6,
            "waste_picker": 1,
        },
        by_officer={"-": 5, "ofc-11": 26, "ofc-12": 33, "ofc-21": 28, "ofc-22": 31, "ofc-31": 34},
        by_programme={"JHT": 22, "JKK": 157, "JKM": 157},
        by_sponsor={"-": 5, "yayasan-contoh": 24},
        by_sex={"female": 66, "male": 91},
        by_age={"10-19": 4, "20-29": 31, "30-39": 49, "40-49": 42, "50-59": 24, "60-69": 7},
        by_hour={
            "07": 2,
            "08": 11,
            "09": 21,
            "10": 26,
            "11": 22,
            "12": 8,
            "13": 14,
            "14": 19,
            "15": 18,
            "16": 12,
            "17": 4,
        },
        by_received_day={"2024-10-10": 157},
        refused_by_reason={
            "nik_birth_date": 2,
            "nik_length": 2,
            "nik_serial": 1,
            "phone_malformed": 1,
            "phone_not_mobile": 1,
        },
        funnel=Funnel(received=64, awaiting_payment=74, mismatch=2, active=17, cancelled=3),
        money=Money(quoted=7_724_400, paid=836_400),
        oddities=[
            Anomaly(pattern="one_phone_many_workers", client_id="van-2", workers=9),
            Anomaly(pattern="neighbouring_serials", client_id="kiosk-1", workers=6),
            Anomaly(pattern="client_above_peers", client_id="van-1", workers=64, usual=27),
            Anomaly(pattern="sponsor_over_quota", sponsor_id="yayasan-contoh", workers=6),
        ],
        changes=[
            Change(figure="by_client.van-2", was=45, now=59),
            Change(figure="counts.already_registered", was=9, now=10),
            Change(figure="counts.captures", was=154, now=170),
            Change(figure="counts.created", was=144, now=159),
            Change(figure="counts.registered", was=143, now=157),
            Change(figure="money.quoted", was=7_035_600, now=7_724_400),
        ],
        notes=[Note(difference=14, client_id="van-2", received_on=SECOND_DAY)],
        texts=SmsCounts(
            total=231,
            by_state={"accepted": 6, "delivered": 204, "failed": 3, "sent": 8, "unknown": 10},
            unknown_share=0.0433,
            parts=231,
            rupiah=103_950,
            without_phone=11,
        ),
    )


def _make_first_day_summary() -> Summary:
    return Summary(
        campaign_id="tanah-abang-2024",
        day=FIRST_DAY,
        version=3,
        state=SummaryState.FINAL,
        counted_at="2024-10-10T04:00:03.108Z",
        content_hash="a" * 64,
        counts=Counts(
            captures=187, created=173, already_registered=14, reactivated=0, refused=7, registered=173
        ),
        by_channel={"kiosk": 36, "van": 137},
        by_client={"kiosk-1": 36, "van-1": 76, "van-2": 61},
        by_occupation={"porter": 173},
        changes=[
            Change(figure="by_client.van-1", was=70, now=76),
            Change(figure="counts.captures", was=181, now=187),
            Change(figure="counts.created", was=167, now=173),
            Change(figure="counts.registered", was=167, now=173),
        ],
        notes=[Note(difference=6, client_id="van-1", received_on=SECOND_DAY)],
    )
