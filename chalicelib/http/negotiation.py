"""Content negotiation by headers of weighted choices (RFC 9110, section 12.5)."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from chalicelib.languages import find_primary_language

Option = TypeVar("Option", bound=str)

_ANY = "*"
# Below any weight that a header can give, and above 0, which means "not acceptable".
_UNLISTED_WEIGHT = 0.0001


def select_media_type(accept_header: str, options: Sequence[Option]) -> Option | None:
    """Return the media type that an `Accept` header weighs highest; of equals, the one it names first.

    The most specific range that includes a type decides. Without a header, return the first type. Return None
    if every type is weighed 0 or not included.
    """
    ranges = list(_iter_weighted_choices(accept_header)) or [("*/*", 1.0)]
    ranks = {each: _rank_media_type(each, ranges) for each in options}
    # Of equals, `max` takes the first.
    best = max(options, key=lambda each: ranks[each])
    return best if ranks[best] > (0, 0) else None


def _rank_media_type(media_type: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """Return the weight of a type and its negative position in the header, which breaks ties."""
    main_type = media_type.partition("/")[0]
    for media_range in (media_type, f"{main_type}/*", "*/*"):
        for position, (name, weight) in enumerate(ranges):
            if name == media_range:
                return (weight, -position) if weight else (0, 0)
    return (0, 0)


def select_language(accept_language_header: str, options: Sequence[Option]) -> Option:
    """Return the language that an `Accept-Language` header weighs highest; of equals, the one it names first.

    `en-GB` asks for `en`, and `in-ID`, as Android writes it, for `id`. If no option is asked for, return the
    first one that is not weighed 0: an answer in another language is better than none.
    """
    weights: dict[str, float] = {}
    for tag, weight in _iter_weighted_choices(accept_language_header):
        language = find_primary_language(tag)
        weights[language] = max(weight, weights.get(language, 0.0))
    listed = [each for language in weights for each in options if each == language]
    unlisted = [each for each in options if each not in weights]
    # Of equals, `max` takes the first.
    return max([*listed, *unlisted], key=lambda each: weights.get(each, weights.get(_ANY, _UNLISTED_WEIGHT)))


def accepts_gzip(accept_encoding_header: str) -> bool:
    """Return True if an `Accept-Encoding` header allows gzip. Without one, nothing is compressed."""
    weights = dict(_iter_weighted_choices(accept_encoding_header))
    return weights.get("gzip", weights.get(_ANY, 0.0)) > 0


def _iter_weighted_choices(header: str) -> Iterator[tuple[str, float]]:
    for choice in header.split(","):
        name, *parameters = (part.strip().lower() for part in choice.split(";"))
        if name:
            yield name, _parse_weight(parameters)


def _parse_weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            # NaN compares as false, and so gets 0 too.
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0
