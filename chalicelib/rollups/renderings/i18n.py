"""Phrases, labels, numbers and days in Indonesian or English, from `i18n.json`."""

from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.languages import Language
from chalicelib.occupations.model import load_occupations
from chalicelib.rollups.bounded_counter import OTHERS
from chalicelib.strict_json import load_data_file

_FILE = Path(__file__).with_name("i18n.json")


@cache
def load_phrases() -> dict[str, Any]:
    phrases: dict[str, Any] = load_data_file(_FILE.read_text(encoding="utf-8"))
    return phrases


class Localizer:
    """Formats phrases, labels, numbers and days in one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._separators: dict[str, str] = load_phrases()["separators"][language]

    def translate(self, phrase: str, **values: object) -> str:
        """Return a phrase with its values filled in. Raise KeyError for an unknown one."""
        text: str = load_phrases()["phrases"][phrase][self.language]
        return text.format_map({name: str(value) for name, value in values.items()})

    def get_count_label(self, name: str) -> str:
        return str(load_phrases()["counts"][name][self.language])

    def get_group_label(self, name: str, zone: str) -> str:
        """Return the title of a breakdown. Hours are in `zone`."""
        return str(load_phrases()["groups"][name][self.language]).format(zone=self.get_zone_label(zone))

    def get_group_note(self, group: str) -> str | None:
        """Return an explanation of a breakdown; None where it needs none."""
        notes: dict[str, dict[str, str]] = load_phrases()["group_notes"]
        return notes[group][self.language] if group in notes else None

    def get_cell_label(self, group: str, key: str) -> str:
        """Return the label of one cell of a breakdown: the key itself where it has no other."""
        if group == "by_occupation" and key in load_occupations():
            occupation = load_occupations()[key]
            return occupation.name_en if self.language == "en" else occupation.name
        if key == OTHERS:
            return self.translate("others")
        if group == "by_received_day":
            return self.format_day(date.fromisoformat(key))
        if group == "by_hour":
            return f"{key}{self._separators['hour']}00"
        labels: dict[str, dict[str, str]] = load_phrases()["labels"].get(group, {})
        return labels[key][self.language] if key in labels else key

    def format_number(self, value: int) -> str:
        """Return 1.234, or 1,234 in English."""
        return f"{value:,}".replace(",", self._separators["thousands"])

    def format_difference(self, value: int) -> str:
        """Return a number with its sign, a typographic minus."""
        sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else ""
        return f"{sign}{self.format_number(abs(value))}"

    def format_share(self, fraction: float) -> str:
        """Return a fraction in per cent, with one decimal unless it is zero."""
        percent = f"{fraction * 100:.1f}".removesuffix(".0")
        return f"{percent.replace('.', self._separators['decimal'])}%"

    def format_day(self, day: date) -> str:
        """Return Rabu, 9 Oktober 2024."""
        return f"{self.format_day_without_year(day)} {day.year}"

    def format_day_without_year(self, day: date) -> str:
        """Return Rabu, 9 Oktober."""
        calendar = load_phrases()["calendar"]
        weekday = calendar["weekdays"][self.language][day.weekday()]
        month = calendar["months"][self.language][day.month - 1]
        return f"{weekday}, {day.day} {month}"

    def format_short_day(self, day: date) -> str:
        """Return 9 Okt."""
        month: str = load_phrases()["calendar"]["months"][self.language][day.month - 1]
        return f"{day.day} {month[:3]}"

    def get_zone_label(self, zone: str) -> str:
        """Return WIB, WITA or WIT."""
        return str(load_phrases()["calendar"]["zones"][zone])

    def format_time(self, instant: datetime, zone: str) -> str:
        """Return 20.00 WIB, in `zone`."""
        local = instant.astimezone(ZoneInfo(zone))
        return f"{local:%H}{self._separators['hour']}{local:%M} {self.get_zone_label(zone)}"

    def format_datetime(self, instant: datetime, zone: str) -> str:
        """Return Rabu, 9 Oktober 2024, 20.00 WIB, in `zone`."""
        return (
            f"{self.format_day(instant.astimezone(ZoneInfo(zone)).date())}, {self.format_time(instant, zone)}"
        )
