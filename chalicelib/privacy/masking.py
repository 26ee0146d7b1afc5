"""Personal values as others may see them: enough to recognise one's own, too little to use another's."""

_MASK = "*"


def masked_number(digits: str, *, shown: int = 4) -> str:
    """All but the last digits replaced: `***********0001`."""
    return _MASK * max(0, len(digits) - shown) + digits[-shown:]


def masked_name(name: str) -> str:
    """The first letter of each word: `S*** A*****`."""
    return " ".join(word[0] + _MASK * (len(word) - 1) for word in name.split())
