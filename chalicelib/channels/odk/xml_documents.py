"""Parsing of XML that may be hostile, into small trees.

Only UTF-8 is read. A document type, and so every entity, is refused, as is a document beyond the bounds.
Nothing outside the document is ever read. Pure.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

MAX_BYTES = 256 * 1024
_MAX_DEPTH = 12
_MAX_ELEMENTS = 1_000
_MAX_ATTRIBUTES = 16

_NAMESPACE_SEPARATOR = " "


class XMLRefused(ValueError):
    """Not well-formed, not UTF-8, with a document type, or beyond the bounds. Never holds the text."""


@dataclass
class Element:
    """An element with its text (that of its children left out). `namespace` is empty if it has none."""

    namespace: str
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list["Element"] = field(default_factory=list)


def parse_xml(document: bytes) -> Element:
    """Return the root element of a document. Raise XMLRefused."""
    if len(document) > MAX_BYTES:
        raise XMLRefused("too large")
    try:
        document.decode()
    except UnicodeDecodeError:
        # The parser would recognise UTF-16 by its first bytes.
        raise XMLRefused("not UTF-8") from None
    builder = _TreeBuilder()
    parser = expat.ParserCreate("UTF-8", namespace_separator=_NAMESPACE_SEPARATOR)
    parser.buffer_text = True
    parser.XmlDeclHandler = builder.check_declaration
    parser.StartDoctypeDeclHandler = builder.refuse_doctype
    parser.StartElementHandler = builder.begin
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.add_text
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise XMLRefused(f"not well-formed: {error.code}") from None
    return builder.root


class _TreeBuilder:
    def __init__(self) -> None:
        self._open: list[Element] = []
        self._count = 0
        self.root = Element("", "")

    def check_declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.upper() not in {"UTF-8", "US-ASCII"}:
            raise XMLRefused("another encoding than UTF-8")

    def refuse_doctype(self, *declaration: object) -> None:
        raise XMLRefused("a document type")

    def begin(self, qualified_name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MAX_ELEMENTS or len(self._open) >= _MAX_DEPTH or len(attributes) > _MAX_ATTRIBUTES:
            raise XMLRefused("too many elements or attributes, or too deep")
        namespace, _, name = qualified_name.rpartition(_NAMESPACE_SEPARATOR)
        element = Element(namespace, name, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, qualified_name: str) -> None:
        self._open.pop()

    def add_text(self, text: str) -> None:
        self._open[-1].text += text
