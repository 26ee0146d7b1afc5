"""The lines of the example's files, parsed and checked by rules of their own, without code of the product."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import phonenumbers

DEVICES = ("van-1", "kiosk-1", "van-2")
CHANNELS = {"van-1": "van", "van-2": "van", "kiosk-1": "kiosk"}
WEDNESDAY, THURSDAY = "2024-10-09", "2024-10-10"
OTHER_SEEDS = (1, 2, 3)

PROVINCES = {
    str(code)
    for first, last in ((11, 19), (21, 21), (31, 36), (51, 53), (61, 65), (71, 76), (81, 82), (91, 96))
    for code in range(first, last + 1)
}
# The lowest income of each contribution band, in thousands of rupiah.
BANDS = (0, 1100, 1300, 1500, 1700, 1900, 2100, 2300, 2500, 2700, 3200, 3700, 4200, 4700, 5200, 5700, 6200)
EXAMPLE_DOMAINS = ("@example.com", "@example.net", "@example.org")
# No operator holds 0824 to 0826, 0834 to 0837 and 0854.
UNASSIGNED = re.compile(r"\+628(2[4-6]|3[4-7]|54)\d+")

Body = dict[str, Any]


@dataclass(frozen=True)
class CaptureLine:
    """A line of a device's file."""

    device: str
    text: str
    body: Body

    @property
    def capture_id(self) -> str:
        return str(self.body["capture_id"])

    @property
    def captured_at(self) -> datetime:
        return datetime.fromisoformat(self.body["captured_at"])

    @property
    def day(self) -> str:
        return str(self.body["captured_at"])[:10]

    @property
    def nik(self) -> str:
        return re.sub(r"[ .\-]", "", self.body["worker"]["nik"])

    @property
    def phone(self) -> phonenumbers.PhoneNumber:
        return phonenumbers.parse(self.body["worker"]["phone"], "ID")

    @property
    def mistake(self) -> str | None:
        """Return the reason for which the line must be refused, None if it is valid."""
        return find_nik_mistake(self.nik) or find_phone_mistake(self.phone)

    def is_repeat_of(self, other: "CaptureLine") -> bool:
        return self.text == other.text


def find_nik_mistake(nik: str) -> str | None:
    if len(nik) != 16:
        return "nik_too_short" if len(nik) < 16 else "nik_too_long"
    if nik[:2] not in PROVINCES:
        return "nik_province"
    if nik[12:] == "0000":
        return "nik_serial"
    return None if read_birth_date(nik) else "nik_date"


def find_phone_mistake(phone: phonenumbers.PhoneNumber) -> str | None:
    if not phonenumbers.is_valid_number_for_region(phone, "ID"):
        return "phone_too_short"
    mobile = phonenumbers.number_type(phone) == phonenumbers.PhoneNumberType.MOBILE
    return None if mobile else "phone_landline"


def read_birth_date(nik: str) -> date | None:
    day, month, year = int(nik[6:8]) % 40, int(nik[8:10]), int(nik[10:12])
    if int(nik[6:8]) > 71:
        return None
    try:
        return date(2000 + year if year < 25 else 1900 + year, month, day)
    except ValueError:
        return None


def format_e164(line: CaptureLine) -> str:
    return phonenumbers.format_number(line.phone, phonenumbers.PhoneNumberFormat.E164)


def parse_files(files: dict[str, str]) -> dict[str, list[CaptureLine]]:
    return {
        device: [
            CaptureLine(device, text, json.loads(text)) for text in files[f"{device}.jsonl"].splitlines()
        ]
        for device in DEVICES
    }


def count_sharers(captures: list[CaptureLine]) -> list[int]:
    workers = defaultdict(set)
    for capture in captures:
        workers[format_e164(capture)].add(capture.nik)
    return [len(found) for found in workers.values() if len(found) > 1]
