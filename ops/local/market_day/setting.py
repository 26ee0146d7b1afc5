"""The setting of the example market day: the campaign, its two days, the devices and the arrivals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

Body = dict[str, Any]

SEED = 20241009

ZONE = ZoneInfo("Asia/Jakarta")

WEDNESDAY, THURSDAY = date(2024, 10, 9), date(2024, 10, 10)

CAMPAIGN: Body = {
    "campaign_id": "tanah-abang-2024",
    "name": "Aktivasi Pasar Tanah Abang",
    "branch": "Jakarta Salemba",
    "place": "Pasar Tanah Abang",
    "zone": ZONE.key,
    "first_day": WEDNESDAY.isoformat(),
    "last_day": THURSDAY.isoformat(),
    "accepts_until": "2030-12-31",
    "summary_hour": 20,
    "target": 500,
    "managers": [
        {"name": "Manajer Contoh Satu", "email": "manajer.satu@example.com", "phone": "+62 854-0000-0001"},
        {"name": "Manajer Contoh Dua", "email": "manajer.dua@example.org", "phone": "+62 854-0000-0002"},
    ],
    "sms_budget": 500000,
}


@dataclass(frozen=True)
class Device:
    """A device: its client, its channel, its officers, and how many workers it registers on each day."""

    client_id: str
    channel: str
    officers: tuple[str, ...]
    workers: Mapping[date, int]


VAN_1 = Device("van-1", "van", ("ofc-11", "ofc-12", "ofc-13", "ofc-14"), {WEDNESDAY: 72, THURSDAY: 62})

VAN_2 = Device("van-2", "van", ("ofc-21", "ofc-22", "ofc-23", "ofc-24"), {WEDNESDAY: 66, THURSDAY: 58})

KIOSK_1 = Device("kiosk-1", "kiosk", ("ofc-31", "ofc-32"), {WEDNESDAY: 38, THURSDAY: 34})

DEVICES = (VAN_1, KIOSK_1, VAN_2)
"""In the order in which the files are sent if they are sent one after another."""

# The weights of the hours in which workers come. The first come before 07:00, when the date in UTC is still
# the day before: a count by the UTC date gives a wrong result on this data.
ARRIVALS = {6: 3, 7: 7, 8: 13, 9: 19, 10: 18, 11: 12, 12: 6, 13: 8, 14: 7, 15: 5, 16: 2}

# From 11:30 on Wednesday van 2 is offline. It sends those captures on Thursday, after the first captures of
# Thursday.
VAN_2_OFFLINE_FROM = datetime.combine(WEDNESDAY, time(11, 30), ZONE)

VAN_2_SYNCED_AT = datetime.combine(THURSDAY, time(9, 40), ZONE)

# Each day after 10:00 a tablet reuses one capture id.
CAPTURE_REUSED_AFTER = {day: datetime.combine(day, time(10), ZONE) for day in (WEDNESDAY, THURSDAY)}

REPEATED_CAPTURES, REPEATED_RETURNING_CAPTURES = 7, 2
"""How many captures of each device are sent again, and how many of workers who came twice."""
