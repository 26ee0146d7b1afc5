"""The rules by which operators filter SMS, and the refusal of names that break them. Pure.

Operators drop SMS that look like a one-time password or a fraud, and can block their sender for months.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

from chalicelib.strict_json import load_data_file
from chalicelib.typed import find_text_problem

_WORDS_FILE = Path(__file__).with_name("filtered_words.json")

# The domains of links that fraud uses.
LINK = re.compile(r"https?:|www\.\w|://|\b\w+\.(id|com|net|org|go|me|ly|info)\b", re.I)

# A name may hold a year. A number of five digits or more, in any grouping, is a code, a phone or a NIK.
_LONG_NUMBER = re.compile(r"\d{5}|\d(?:[ .()/-]{0,3}\d){7}")


def find_name_problem(cleaned: str) -> str | None:
    """Return the code of what makes a cleaned text unusable as a name that SMS and mails hold, or None.

    Beside the codes of free texts that is `text_not_for_sms`: a link, a filtered word or a number. Words that
    are dropped on unregistered routes alone are allowed, because people have such names.
    """
    code = find_text_problem(cleaned)
    decomposed = unicodedata.normalize("NFKD", cleaned)
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    patterns = (LINK, _LONG_NUMBER, _compile_words("every_route"))
    if code is None and any(each.search(plain) for each in patterns):
        return "text_not_for_sms"
    return code


def find_filtered_word(text: str) -> str | None:
    """Return the first word of a text that operators filter, or None."""
    found = _compile_words("every_route", "unregistered_routes").search(text)
    return None if found is None else found[0]


def shorten_filtered_words(text: str) -> str:
    """Return `text` with the first letter of each filtered word: a cut can make a word of a longer one."""
    return _compile_words("every_route", "unregistered_routes").sub(lambda found: f"{found[0][0]}.", text)


@cache
def _compile_words(*lists: str) -> re.Pattern[str]:
    words = load_data_file(_WORDS_FILE.read_text(encoding="utf-8"))
    chosen = [word for each in lists for word in words[each]]
    return re.compile(rf"\b({'|'.join(chosen)})\b", re.I)
