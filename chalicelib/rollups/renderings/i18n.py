"""What renderings say, in Indonesian or English: the words are data, and so is how numbers and days are
written.
"""

import json
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.languages import Language
from chalicelib.occupations.model import load_occupations

_FILE = Path(__file__).with_name("i18n.json")


@cache
def load_phrases() -> dict[str, Any]:
    """The whole file of words."""
    read: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return read


class Localizer:
    """One language: its phrases, its names for what is counted, its way with numbers and days."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._separators: dict[str, str] = load_phrases()["marks"][language]

    def translate(self, phrase: str, **values: object) -> str:
        """A phrase, with its values put in. Raises KeyError for one that nobody has written."""
        text: str = load_phrases()["phrases"][phrase][self.language]
        return text.format_map({name: str(value) for name, value in values.items()})

    def get_count_label(self, name: str) -> str:
        """What a headline figure is called."""
        told: str = load_phrases()["counts"][name][self.language]
        return told

    def get_group_label(self, name: str, zone: str) -> str:
        """What a breakdown is called. Hours are hours of a zone."""
        told: str = load_phrases()["groups"][name][self.language]
        return told.format(zone=self.get_zone_label(zone))

    def get_group_note(self, group: str) -> str | None:
        """What has to be known to read a breakdown; None where it says all by itself."""
        notes: dict[str, dict[str, str]] = load_phrases()["notes_on_groups"]
        return notes[group][self.language] if group in notes else None

    def get_cell_label(self, group: str, key: str) -> str:
        """What one cell of a breakdown is called: the key itself, where it is a name already."""
        if group == "by_occupation" and key in load_occupations():
            occupation = load_occupations()[key]
            return occupation.name_en if self.language == "en" else occupation.name
        if group == "by_received_day":
            return self.format_day(date.fromisoformat(key))
        if group == "by_hour":
            return f"{key}{self._separators['hour']}00"
        labels: dict[str, dict[str, str]] = load_phrases()["labels"].get(group, {})
        return labels[key][self.language] if key in labels else key

    def format_number(self, value: int) -> str:
        """1.234, or 1,234 in English."""
        return f"{value:,}".replace(",", self._separators["thousands"])

    def format_difference(self, value: int) -> str:
        """A number with its sign, a real minus."""
        sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else ""
        return f"{sign}{self.format_number(abs(value))}"

    def format_rupiah(self, value: int) -> str:
        """Rp 1.234.500, with a space that does not break."""
        return f"Rp\N{NO-BREAK SPACE}{self.format_number(value)}"

    def format_share(self, part: float) -> str:
        """A share in per cent, with one decimal where it has one."""
        hundredths = f"{part * 100:.1f}".removesuffix(".0")
        return f"{hundredths.replace('.', self._separators['decimal'])}%"

    def format_day(self, day: date) -> str:
        """Rabu, 9 Oktober 2024."""
        return f"{self.format_day_without_year(day)} {day.year}"

    def format_day_without_year(self, day: date) -> str:
        """Rabu, 9 Oktober, where the year goes without saying."""
        calendar = load_phrases()["calendar"]
        weekday = calendar["weekdays"][self.language][day.weekday()]
        month = calendar["months"][self.language][day.month - 1]
        return f"{weekday}, {day.day} {month}"

    def format_short_day(self, day: date) -> str:
        """9 Okt, for where there is no room."""
        month: str = load_phrases()["calendar"]["months"][self.language][day.month - 1]
        return f"{day.day} {month[:3]}"

    def get_zone_label(self, zone: str) -> str:
        """WIB, WITA or WIT."""
        told: str = load_phrases()["calendar"]["zones"][zone]
        return told

    def format_time(self, instant: datetime, zone: str) -> str:
        """20.00 WIB, in the campaign's own zone."""
        local = instant.astimezone(ZoneInfo(zone))
        return f"{local:%H}{self._separators['hour']}{local:%M} {self.get_zone_label(zone)}"

    def format_datetime(self, instant: datetime, zone: str) -> str:
        """Rabu, 9 Oktober 2024 20.00 WIB."""
        return (
            f"{self.format_day(instant.astimezone(ZoneInfo(zone)).date())}, {self.format_time(instant, zone)}"
        )
