"""What a caller would rather have, as it says in a header of weighted choices (RFC 9110, section 12.5)."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Offered = TypeVar("Offered", bound=str)

_ANY = "*"
# Less than any weight that can be written, and more than 0, which says "not this one".
_UNASKED = 0.0001


def preferred(accepted: str, offered: Sequence[Offered]) -> Offered:
    """The offered language that an `Accept-Language` weighs highest; of equals, the one that it names first.

    `en-GB` asks for `en`. Where nothing that is asked for is offered, the first offer that is not weighed 0:
    an answer in another language is better than none.
    """
    weights: dict[str, float] = {}
    for language, weight in _choices(accepted):
        weights[language] = max(weight, weights.get(language, 0.0))
    named = [each for language in weights for each in offered if each == language]
    unnamed = [each for each in offered if each not in weights]
    # Of equals, `max` takes the first.
    return max([*named, *unnamed], key=lambda each: weights.get(each, weights.get(_ANY, _UNASKED)))


def _choices(accepted: str) -> Iterator[tuple[str, float]]:
    for choice in accepted.split(","):
        tag, *parameters = (part.strip().lower() for part in choice.split(";"))
        primary = tag.partition("-")[0]
        if primary:
            yield primary, _weight(parameters)


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            # NaN compares as false, and so is no weight either.
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0
