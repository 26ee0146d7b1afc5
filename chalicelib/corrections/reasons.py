"""The reason of a correction: free text, stored sealed, without the number of a person. Pure."""

import re

from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.typed import clean_text, extract_digits, find_text_problem

# Fewer digits than a phone number has, and more than a date or a house number.
_NUMBER_DIGITS = 7
_NUMBER = re.compile(r"\d(?:[\s.\-]?\d)*")


def read_reason(typed: str) -> str:
    """Return the cleaned reason. Raise RulesBroken if it is blank, or names a NIK or a phone number."""
    reason = clean_text(typed)
    code = find_text_problem(reason)
    if code is None and any(
        len(extract_digits(number)) >= _NUMBER_DIGITS for number in _NUMBER.findall(reason)
    ):
        code = "text_has_number"
    if code is not None:
        raise RulesBroken(BrokenRule("reason", code))
    return reason
