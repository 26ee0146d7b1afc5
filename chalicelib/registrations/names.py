"""People's names, kept as typed. One word is a whole name in Indonesia."""

import unicodedata

# Beside letters and their marks. A name goes out in texts under the agency's brand: nothing that makes a
# link or looks like a one-time password may stand in it.
_PUNCTUATION = frozenset(" '.,-\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}`")
_LETTERS_AND_MARKS = ("L", "M")

# Invisible, and a part of emoji or of nothing.
_NEVER_IN_A_NAME = "\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}"


class NameUnusable(ValueError):
    """Not a name. `code` says why; the value is never repeated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse(text: str) -> str:
    """The name in NFC, without blanks around it.

    Letters of any script, blanks, and the punctuation of names are kept. Raises NameUnusable with
    `name_characters`, or `name_empty` where no letter is left.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not all(_belongs_in_a_name(character) for character in name):
        raise NameUnusable("name_characters")
    if not any(character.isalpha() for character in name):
        raise NameUnusable("name_empty")
    return name


def _belongs_in_a_name(character: str) -> bool:
    if character in _PUNCTUATION:
        return True
    return character not in _NEVER_IN_A_NAME and unicodedata.category(character)[0] in _LETTERS_AND_MARKS
