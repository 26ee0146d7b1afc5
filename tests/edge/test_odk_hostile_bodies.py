"""Bodies that are no submission: a clear answer, never a failure of ours, and nothing is stored."""

from collections.abc import Callable

import pytest

from tests.edge.conftest import Edge, dump_stored_state
from tests.support.collect_phone import make_multipart
from tests.support.odk_edge import TANAH_ABANG, Field
from tests.support.odk_instances import make_instance_id


@pytest.fixture
def field(edge: Edge) -> Field:
    return Field(edge)


MANY_ATTRIBUTES = " ".join(f'a{number}="1"' for number in range(5000))
ENTITIES = '<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">'
BOMB = f"<!DOCTYPE data [{ENTITIES}]>"
EXTERNAL = '<!DOCTYPE data [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def with_doctype(doctype: str, entity: str) -> Callable[[str], bytes]:
    return lambda xml: xml.replace("?>", f"?>{doctype}", 1).replace("Blok A", entity).encode()


def with_part(old: str, new: str) -> Callable[[str], bytes]:
    return lambda xml: xml.replace(old, new, 1).encode()


HOSTILE: dict[str, Callable[[str], bytes]] = {
    "entities that expand": with_doctype(BOMB, "&c;"),
    "an external entity": with_doctype(EXTERNAL, "&x;"),
    "a document type alone": with_doctype("<!DOCTYPE data>", "Blok A"),
    "an external document type": with_doctype('<!DOCTYPE data SYSTEM "http://127.0.0.1/x.dtd">', "Blok A"),
    "an unknown entity": with_part("Blok A", "&nbsp;"),
    "a thousand levels": with_part("Blok A", "<a>" * 1000 + "</a>" * 1000),
    "many elements": with_part("<meta>", "<a/>" * 5000 + "<meta>"),
    "many attributes": with_part("<meta>", f"<meta {MANY_ATTRIBUTES}>"),
    "a long text": with_part("Blok A", "A" * 1_000_000),
    "another encoding": lambda xml: xml.encode("utf-16"),
    "another declared encoding": with_part('encoding="UTF-8"', 'encoding="ISO-8859-1"'),
    "an unknown encoding": with_part('encoding="UTF-8"', 'encoding="x-none"'),
    "bytes that are no UTF-8": lambda xml: xml.encode().replace(b"Melati", b"Mel\xffti"),
    "a cut document": lambda xml: xml.encode()[:-40],
    "two roots": lambda xml: xml.encode() + b"<data/>",
    "no XML": lambda xml: b"PK\x03\x04",
    "nothing": lambda xml: b"",
    "a control character": with_part("Blok A", "Blok \x00A"),
    "another namespace": with_part("<data ", '<data xmlns="http://example.org/evil" '),
    "no form id": with_part(f'id="{TANAH_ABANG}"', ""),
    "no instance id": with_part("<instanceID>", "<otherID>"),
    "an empty instance id": lambda xml: xml.replace("uuid:", "", 1).encode(),
    "an instance id that is no UUID": with_part("<instanceID>uuid:", "<instanceID>uuid:1"),
    "two instance ids": with_part("<meta>", f"<meta><instanceID>{make_instance_id()}</instanceID>"),
    "two metas": with_part("<meta>", f"<meta><instanceID>{make_instance_id()}</instanceID></meta><meta>"),
    "an answer twice": with_part("<nik>", "<nik>3171075204857009</nik><nik>"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_a_clear_400_and_nothing_is_stored(field: Field, name: str) -> None:
    before = dump_stored_state()
    reply = field.post_bytes(*make_multipart(HOSTILE[name](field.fill())))
    assert (reply.status, b"OpenRosaResponse" in reply.body) == (400, True)
    assert b"Melati" not in reply.body
    assert dump_stored_state() == before


MULTIPART: dict[str, Callable[[bytes, str], tuple[bytes, str]]] = {
    "JSON": lambda body, kind: (b"{}", "application/json"),
    "no type": lambda body, kind: (body, ""),
    "no boundary": lambda body, kind: (body, "multipart/form-data"),
    "another boundary": lambda body, kind: (body, "multipart/form-data; boundary=other"),
    "a cut body": lambda body, kind: (body[:-60], kind),
    "an empty body": lambda body, kind: (b"", kind),
    "no form": lambda body, kind: (body.replace(b"xml_submission_file", b"some_other_file"), kind),
    "a part without a name": lambda body, kind: (body.replace(b'name="xml', b'nome="xml'), kind),
    "two forms": lambda body, kind: (body.replace(b"--\r\n", b"\r\n") + body, kind),
}


@pytest.mark.parametrize("name", MULTIPART)
def test_a_body_that_is_no_multipart_form_is_a_clear_400_and_nothing_is_stored(
    field: Field, name: str
) -> None:
    before = dump_stored_state()
    reply = field.post_bytes(*MULTIPART[name](*make_multipart(field.fill().encode())))
    assert (reply.status, b"OpenRosaResponse" in reply.body) == (400, True)
    assert dump_stored_state() == before


def test_thousands_of_parts_are_refused(field: Field) -> None:
    files = [(f"{number}.jpg", b"") for number in range(1000)]
    assert field.post_bytes(*make_multipart(field.fill().encode(), files)).status == 400
