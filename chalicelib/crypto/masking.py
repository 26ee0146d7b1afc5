"""Personal values as others may see them: enough to recognise one's own, too little to use another's.

And text in which nobody ought to be named at all: whatever looks like somebody's is taken out of it.
"""

import re

_MASK = "*"
MASKED = "***"

# An id that we or AWS make: a UUID, or a hash in hexadecimal. It may hold a long run of digits by chance.
_ID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=[0-9]*[a-f])[0-9a-f]{32,64}"
_MAIL = r"[^\s@,;:<>'\"]+@[^\s@,;:<>'\"]+"
# A NIK, a phone or a card number, however it is grouped: eight digits or more, little between any two.
_NUMBER = r"\d(?:[\W_]{0,3}\d){7,}"
_IDENTIFYING = re.compile(rf"(?P<id>(?<![0-9A-Za-z])(?:{_ID})(?![0-9A-Za-z]))|{_MAIL}|{_NUMBER}")


def mask_number(digits: str, *, visible_digits: int = 4) -> str:
    """All but the last digits replaced: `***********0001`."""
    return _MASK * max(0, len(digits) - visible_digits) + digits[-visible_digits:]


def mask_name(name: str) -> str:
    """The first letter of each word: `S*** A*****`."""
    return " ".join(word[0] + _MASK * (len(word) - 1) for word in name.split())


def mask_text(text: str) -> str:
    """A text without e-mail addresses and long numbers; ids that are made by machines stay."""
    return _IDENTIFYING.sub(lambda found: found[0] if found["id"] else MASKED, text)
