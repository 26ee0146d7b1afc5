"""A submission of ODK Collect: its form, its ids, its answers and its attachments. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from chalicelib.channels.odk.errors import SubmissionMalformed
from chalicelib.channels.odk.multipart_bodies import MultipartRefused, Part, parse_multipart
from chalicelib.channels.odk.xml_documents import Element, XMLRefused, parse_xml
from chalicelib.refusals import BrokenRule

_XML_PART = "xml_submission_file"
_FORM_NAMESPACES = frozenset({"", "http://www.w3.org/2002/xforms"})
_META_NAMESPACES = _FORM_NAMESPACES | {"http://openrosa.org/xforms"}
_INSTANCE_ID, _DEPRECATED_ID = "meta.instanceID", "meta.deprecatedID"
_ID = re.compile(r"uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
# Their names in our answers.
_ID_FIELDS = {_INSTANCE_ID: "instance_id", _DEPRECATED_ID: "deprecated_id"}


@dataclass(frozen=True)
class OdkSubmission:
    """One request of Collect. A capture with many attachments comes in several, with the same answers."""

    form_id: str
    version: str
    instance_id: UUID
    deprecated_id: UUID | None
    answers: Mapping[str, str]
    """The answers that are not empty, by dotted path, such as `worker.nik`."""
    attachments: tuple[Part, ...]


@dataclass(frozen=True)
class KnownInstance:
    """An instance without a capture under its own id: an edit, or one whose answers made no capture."""

    capture_id: str
    campaign_id: str


def read_submission(body: bytes, content_type: str) -> OdkSubmission:
    """Return the submission in the body of a request. Raise SubmissionMalformed."""
    try:
        parts = parse_multipart(body, content_type)
    except MultipartRefused:
        raise _refuse("body", "multipart_malformed") from None
    documents = [part.content for part in parts if part.name == _XML_PART]
    if not documents:
        raise _refuse(_XML_PART, "field_missing")
    if len(documents) > 1:
        raise _refuse(_XML_PART, "field_repeated")
    try:
        root = parse_xml(documents[0])
    except XMLRefused:
        raise _refuse(_XML_PART, "xml_malformed") from None
    attachments = tuple(part for part in parts if part.name != _XML_PART and part.filename is not None)
    return _read_instance(root, attachments)


def _read_instance(root: Element, attachments: tuple[Part, ...]) -> OdkSubmission:
    if root.namespace not in _FORM_NAMESPACES:
        raise _refuse(_XML_PART, "xml_malformed")
    form_id = root.attributes.get("id", "").strip()
    if not form_id:
        raise _refuse("form_id", "field_missing")
    answers: dict[str, str] = {}
    for path, text in _iter_answers(root, ""):
        if path in answers:
            # The name of an element comes from the sender, and may hold personal values.
            raise _refuse(_ID_FIELDS.get(path, "?"), "field_repeated")
        answers[path] = text
    instance_id = _parse_id(answers, _INSTANCE_ID)
    if instance_id is None:
        raise _refuse(_ID_FIELDS[_INSTANCE_ID], "field_missing")
    return OdkSubmission(
        form_id=form_id,
        version=root.attributes.get("version", ""),
        instance_id=instance_id,
        deprecated_id=_parse_id(answers, _DEPRECATED_ID),
        answers={path: text for path, text in answers.items() if text},
        attachments=attachments,
    )


def _iter_answers(element: Element, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of each element without children, but for those of other namespaces."""
    for child in element.children:
        is_meta = prefix.startswith("meta.") or (not prefix and child.name == "meta")
        if child.namespace not in (_META_NAMESPACES if is_meta else _FORM_NAMESPACES):
            continue
        path = f"{prefix}{child.name}"
        if child.children:
            yield from _iter_answers(child, f"{path}.")
        else:
            yield path, child.text.strip()


def _parse_id(answers: dict[str, str], path: str) -> UUID | None:
    text = answers.pop(path, "")
    if not text:
        return None
    found = _ID.fullmatch(text)
    if found is None:
        raise _refuse(_ID_FIELDS[path], "value_malformed")
    return UUID(found[1])


def _refuse(field: str, code: str) -> SubmissionMalformed:
    return SubmissionMalformed(BrokenRule(field, code))
