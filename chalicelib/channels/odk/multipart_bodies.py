"""Parsing of `multipart/form-data`: the body of a submission. Pure."""

from dataclasses import dataclass

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

# Collect sends as many attachments in one request as fit the size that it was told.
_MAX_PARTS = 250


class MultipartRefused(ValueError):
    """Not such a body, cut off, or with too many parts. Never holds the content."""


@dataclass(frozen=True)
class Part:
    """One part: the name of its field, the name of its file if it is one, and its bytes."""

    name: str
    filename: str | None
    content: bytes


def parse_multipart(body: bytes, content_type: str) -> list[Part]:
    """Return the parts of a body. Raise MultipartRefused."""
    media_type, options = parse_options_header(content_type)  # type: ignore[no-untyped-call]
    boundary = options.get("boundary", "")
    if media_type != "multipart/form-data" or not boundary:
        raise MultipartRefused("not declared as multipart/form-data")
    parts: list[Part] = []
    segment: MultipartSegment | None = None
    content = bytearray()
    try:
        with PushMultipartParser(
            boundary, content_length=len(body), max_segment_count=_MAX_PARTS, strict=True
        ) as parser:
            for event in parser.parse(body):
                if isinstance(event, MultipartSegment):
                    segment, content = event, bytearray()
                elif event:
                    content += event
                elif segment is not None and segment.name:
                    parts.append(Part(segment.name, segment.filename, bytes(content)))
    except MultipartError as error:
        raise MultipartRefused(type(error).__name__) from None
    return parts
