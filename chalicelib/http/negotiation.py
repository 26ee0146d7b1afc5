"""What a caller would rather have, as it says in a header of weighted choices (RFC 9110, section 12.5)."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Option = TypeVar("Option", bound=str)

_ANY = "*"
# Less than any weight that can be written, and more than 0, which says "not this one".
_UNLISTED_WEIGHT = 0.0001


def select_media_type(accept_header: str, options: Sequence[Option]) -> Option | None:
    """The offered media type that an `Accept` weighs highest; of equals, the one that it names first.

    The most exact of the ranges that a type is in decides. No header asks for anything, and so for the first;
    None where everything that is offered is weighed 0, or not named.
    """
    ranges = list(_iter_weighted_choices(accept_header)) or [("*/*", 1.0)]
    weighed = {each: _rank_media_type(each, ranges) for each in options}
    # Of equals, `max` takes the first.
    best = max(options, key=lambda each: weighed[each])
    return best if weighed[best] > (0, 0) else None


def _rank_media_type(media_type: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """The weight of a type, and how early it is named: equal weights are told apart by the second."""
    kind = media_type.partition("/")[0]
    for wanted in (media_type, f"{kind}/*", "*/*"):
        for place, (named, weight) in enumerate(ranges):
            if named == wanted:
                return (weight, -place) if weight else (0, 0)
    return (0, 0)


def select_language(accept_language_header: str, options: Sequence[Option]) -> Option:
    """The offered language that an `Accept-Language` weighs highest; of equals, the one that it names first.

    `en-GB` asks for `en`. Where nothing that is asked for is offered, the first offer that is not weighed 0:
    an answer in another language is better than none.
    """
    weights: dict[str, float] = {}
    for tag, weight in _iter_weighted_choices(accept_language_header):
        language = tag.partition("-")[0]
        weights[language] = max(weight, weights.get(language, 0.0))
    named = [each for language in weights for each in options if each == language]
    unnamed = [each for each in options if each not in weights]
    # Of equals, `max` takes the first.
    return max([*named, *unnamed], key=lambda each: weights.get(each, weights.get(_ANY, _UNLISTED_WEIGHT)))


def _iter_weighted_choices(header: str) -> Iterator[tuple[str, float]]:
    for choice in header.split(","):
        named, *parameters = (part.strip().lower() for part in choice.split(";"))
        if named:
            yield named, _parse_weight(parameters)


def _parse_weight(parameters: Sequence[str]) -> float:
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
