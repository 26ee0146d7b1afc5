"""Photos that the form of a stage asks for: kept with their capture, and gone with it."""

from typing import Any

import boto3
import httpx
import pytest

from tests.edge.conftest import Edge
from tests.support.collect_phone import make_multipart
from tests.support.moto_snapshots import list_stored_items
from tests.support.odk_edge import TANAH_ABANG, EdgeTransport, Field
from tests.support.odk_instances import make_instance_id
from tests.support.payloads import make_nik

FILENAME = "1728441234567.jpg"
PHOTO = b"\xff\xd8\xff\xe0 the card of an invented worker"
VERSION = {"X-OpenRosa-Version": "1.0"}
REQUEST_ID = "6f8b9e2e-6a37-4c53-9d1e-3b4a5c6d7e8f"


@pytest.fixture
def field(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Field:
    """A phone of a stage whose forms ask for a photo."""
    monkeypatch.setenv("DAFTAR_ODK_PHOTOS", "true")
    edge.restart()
    return Field(edge)


def list_photos() -> dict[str, bytes]:
    s3 = boto3.client("s3")
    found = s3.list_objects_v2(Bucket="photos").get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket="photos", Key=each["Key"])["Body"].read() for each in found}


def fill(field: Field, instance_id: str | None = None) -> str:
    return field.fill(instance_id=instance_id, worker__card_photo=FILENAME)


def send_data_request(edge: Edge, what: str) -> Any:
    body = {"request_id": REQUEST_ID, "nik": make_nik(), "reason": "worker_request"}
    response = edge.send("POST", f"/v1/{what}", body, caller="admin")
    assert response.status_code < 300, response.body
    return response.json_body


def test_the_form_asks_for_a_photo_only_where_the_stage_says_so(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = Field(edge).phone.forms[TANAH_ABANG]
    monkeypatch.setenv("DAFTAR_ODK_PHOTOS", "true")
    edge.restart()
    asking = Field(edge).phone.forms[TANAH_ABANG]

    assert without.version != asking.version
    assert [b"relevant=\"'yes' = 'yes'\"" in each.content for each in (without, asking)] == [False, True]


def test_a_photo_is_kept_with_its_capture_however_often_it_is_sent(field: Field) -> None:
    instance_id = make_instance_id()
    for _ in range(2):
        assert field.send(fill(field, instance_id), {FILENAME: PHOTO}).is_sent

    ((key, content),) = list_photos().items()
    assert content == PHOTO
    assert key.startswith(f"captures/{instance_id.removeprefix('uuid:')}/")
    assert FILENAME not in key
    assert len(field.list_registrations()) == 1


def test_a_photo_that_comes_in_a_later_request_is_kept(field: Field) -> None:
    xml, url = fill(field).encode(), f"{field.phone.server_url}/submission"
    for files, is_incomplete in (([], True), ([(FILENAME, PHOTO)], False)):
        body, content_type = make_multipart(xml, files, is_incomplete=is_incomplete)
        reply = EdgeTransport(field.edge)("POST", url, {"Content-Type": content_type, **VERSION}, body)
        assert reply.status == 201

    assert list(list_photos().values()) == [PHOTO]
    assert len(field.list_registrations()) == 1


def test_files_that_the_form_did_not_ask_for_are_dropped(field: Field) -> None:
    assert field.send(fill(field), {"other.jpg": PHOTO}).is_sent
    assert list_photos() == {}


def test_a_stage_that_asks_for_no_photo_keeps_none(edge: Edge) -> None:
    field = Field(edge)
    assert field.send(fill(field), {FILENAME: PHOTO}).is_sent
    assert list_photos() == {}


def test_the_photo_of_a_refused_capture_is_not_kept(field: Field) -> None:
    xml = field.fill(worker__nik="1", worker__card_photo=FILENAME)
    assert not field.send(xml, {FILENAME: PHOTO}).is_sent
    assert list_photos() == {}


def test_the_photo_of_a_mended_form_belongs_to_the_first_capture(field: Field) -> None:
    first_id = make_instance_id()
    field.send(field.fill(instance_id=first_id, worker__nik="1"))
    edited = field.fill(deprecated_id=first_id, worker__card_photo=FILENAME)
    assert field.send(edited, {FILENAME: PHOTO}).is_sent
    (key,) = list_photos()
    assert key.startswith(f"captures/{first_id.removeprefix('uuid:')}/")


def test_a_disclosure_has_an_address_of_each_photo(field: Field) -> None:
    instance_id = make_instance_id()
    field.send(fill(field, instance_id), {FILENAME: PHOTO})

    (shown,) = send_data_request(field.edge, "disclosures")["photos"]

    assert (shown["capture_id"], shown["bytes"]) == (instance_id.removeprefix("uuid:"), len(PHOTO))
    assert httpx.URL(shown["url"]).params["response-content-disposition"] == "attachment"
    assert httpx.URL(shown["url"]).params["X-Amz-Expires"] == "900"


def test_an_erasure_deletes_photos_and_none_comes_later(field: Field) -> None:
    instance_id = make_instance_id()
    field.send(fill(field, instance_id), {FILENAME: PHOTO})
    send_data_request(field.edge, "erasures")
    assert list_photos() == {}

    assert field.send(fill(field, instance_id), {FILENAME: PHOTO}).is_sent
    assert list_photos() == {}


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_a_photo_that_is_stored_during_an_erasure_is_deleted(field: Field, moment: str) -> None:
    instance_id = make_instance_id()
    field.send(fill(field, instance_id))

    def erase(**_: Any) -> None:
        send_data_request(field.edge, "erasures")

    field.edge.container.aws.photos_s3.meta.events.register(f"{moment}.s3.PutObject", erase)

    assert field.send(fill(field, instance_id), {FILENAME: PHOTO}).is_sent
    assert list_photos() == {}


def test_a_photo_that_could_not_be_stored_is_sent_again(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = field.phone.finalize(fill(field), {FILENAME: PHOTO})
    with monkeypatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
        field.edge.restart()
        field.phone.send_all()
        assert "kirim lagi" in instance.message.lower()
    field.edge.restart()
    field.phone.send_all()

    assert instance.is_sent
    assert list(list_photos().values()) == [PHOTO]
    assert len(field.list_registrations()) == 1


def test_no_table_has_the_name_of_a_file(field: Field) -> None:
    field.send(fill(field), {FILENAME: PHOTO})
    assert FILENAME not in str([list_stored_items(name) for name in ("RegistrationsTable", "ClientsTable")])
