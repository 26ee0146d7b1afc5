"""The GSM 7-bit alphabet (3GPP TS 23.038), and transliteration into it.

An SMS within the alphabet has 160 septets in one part; a single other character reduces that to 70
characters. Characters of the extension table count twice.
"""

import unicodedata

from chalicelib.typed import APOSTROPHES

SEGMENT_SEPTETS = 160

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")

# Typed by phones or pasted from documents; their Unicode decomposition is not in the alphabet either.
_PUNCTUATION = str.maketrans(
    {
        **dict.fromkeys(APOSTROPHES, "'"),
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{NO-BREAK SPACE}": " ",
        "\t": " ",
    }
)

# Format characters and combining marks are dropped.
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Mn", "Me"})


def is_gsm7(text: str) -> bool:
    """Return True if every character is in the alphabet or its extension table."""
    return all(character in _BASIC or character in _EXTENSION for character in text)


def count_septets(text: str) -> int:
    """Return the length in septets of a text within the alphabet."""
    return sum(2 if character in _EXTENSION else 1 for character in text)


def transliterate(text: str) -> str:
    """Return `text` in the alphabet: plain quotes and dashes, no accents that it lacks, `?` for the rest."""
    return "".join(_transliterate_character(character) for character in text.translate(_PUNCTUATION))


def _transliterate_character(character: str) -> str:
    if is_gsm7(character):
        return character
    bare = "".join(
        part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)
    )
    if bare and is_gsm7(bare):
        return bare
    return "" if unicodedata.category(character) in _INVISIBLE_CATEGORIES else "?"
