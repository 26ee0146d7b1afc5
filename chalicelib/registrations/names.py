"""People's names, kept as typed. One word is a whole name in Indonesia."""

import unicodedata

# Beside letters and their marks. A name goes out in texts under the agency's brand: nothing that makes a
# link or looks like a one-time password may stand in it.
_PUNCTUATION = frozenset(" '.,-\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}`")
_ALLOWED_CATEGORIES = ("L", "M")

# Invisible, and a part of emoji or of nothing.
_FORBIDDEN_CHARACTERS = "\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}"


class InvalidName(ValueError):
    """Not a name. `code` says why; the value is never repeated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse(text: str) -> str:
    """The name in NFC, without blanks around it.

    Letters of any script, blanks, and the punctuation of names are kept. Raises InvalidName with
    `name_characters`, or `name_empty` where no letter is left.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not all(_is_allowed(character) for character in name):
        raise InvalidName("name_characters")
    if not any(character.isalpha() for character in name):
        raise InvalidName("name_empty")
    return name


def _is_allowed(character: str) -> bool:
    if character in _PUNCTUATION:
        return True
    return (
        character not in _FORBIDDEN_CHARACTERS and unicodedata.category(character)[0] in _ALLOWED_CATEGORIES
    )
