"""Masks for personal values: single values that are shown in part, and text that must name no person."""

import re

_MASK = "*"
MASKED = "***"

# An id that Daftar or AWS makes: a UUID or a hexadecimal hash. It may contain a long run of digits.
_ID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=[0-9]*[a-f])[0-9a-f]{32,64}"
_MAIL = r"[^\s@,;:<>'\"]+@[^\s@,;:<>'\"]+"
# A NIK, phone or card number in any grouping: eight digits or more, at most three other signs between two.
_NUMBER = r"\d(?:[\W_]{0,3}\d){7,}"
_IDENTIFYING = re.compile(rf"(?P<id>(?<![0-9A-Za-z])(?:{_ID})(?![0-9A-Za-z]))|{_MAIL}|{_NUMBER}")


def mask_number(digits: str, *, visible_digits: int = 4) -> str:
    """Replace all but the last digits: `***********0001`."""
    return _MASK * max(0, len(digits) - visible_digits) + digits[-visible_digits:]


def mask_name(name: str) -> str:
    """Replace all but the first letter of each word: `S*** A*****`."""
    return " ".join(word[0] + _MASK * (len(word) - 1) for word in name.split())


def mask_text(text: str) -> str:
    """Replace e-mail addresses and long numbers in `text`; keep the ids that machines make."""
    return _IDENTIFYING.sub(lambda found: found[0] if found["id"] else MASKED, text)
