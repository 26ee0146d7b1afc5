"""HTML and XML from values.

Whatever is not markup already is escaped, so nothing that was typed can become any.
"""

from collections.abc import Iterable
from html import escape
from typing import TypeAlias


class Markup(str):
    """Text that is markup already. Only `element` and `verbatim` make it."""

    __slots__ = ()


Inside: TypeAlias = "str | int | float | Iterable[Inside] | None"

# Elements that HTML closes by itself; of those in an SVG or a spreadsheet, `/` does no harm either.
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


def element(name: str, /, *inside: Inside, **attributes: str | float | bool | None) -> Markup:
    """One element.

    Underscores end or join the names of attributes (`class_`, `aria_label`). An attribute that is None or
    False is left out, one that is True stands alone.
    """
    opening = f"<{name}{''.join(_attributes(attributes))}>"
    return Markup(opening if name in _VOID else f"{opening}{together(*inside)}</{name}>")


def together(*inside: Inside) -> Markup:
    """Several one after the other. None is nothing."""
    return Markup("".join(_flat(inside)))


def verbatim(text: str) -> Markup:
    """Our own style sheet or script, as it is: never anything that came from outside."""
    return Markup(text)


def _flat(inside: Inside) -> Iterable[str]:
    if inside is None:
        return
    if isinstance(inside, Markup):
        yield inside
    elif isinstance(inside, str | int | float):
        yield escape(str(inside))
    else:
        for each in inside:
            yield from _flat(each)


def _attributes(attributes: dict[str, str | float | bool | None]) -> Iterable[str]:
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        written = name.rstrip("_").replace("_", "-")
        yield f" {written}" if value is True else f' {written}="{escape(str(value))}"'
