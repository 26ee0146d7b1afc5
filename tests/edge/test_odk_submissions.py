"""Submissions of ODK Collect: each capture registers a worker once, whatever the phone repeats."""

from uuid import uuid4

import pytest

from chalicelib.campaigns.model import Campaign
from tests.edge.conftest import Edge, LogOutput, dump_stored_state
from tests.support.collect_phone import make_multipart
from tests.support.odk_edge import HOST, TANAH_ABANG, EdgeTransport, Field
from tests.support.odk_instances import make_instance, make_instance_id
from tests.support.payloads import make_campaign_payload, make_capture_payload, make_nik


@pytest.fixture
def field(edge: Edge) -> Field:
    return Field(edge)


def test_a_form_registers_its_worker_as_the_json_api_does(field: Field) -> None:
    by_form = make_capture_payload(
        work={"occupations": ["porter", "tailor"]}, worker={"email": "siti@example.com"}
    )
    by_json = make_capture_payload(
        **{**by_form, "capture_id": str(uuid4()), "worker": {**by_form["worker"], "nik": make_nik(7002)}}
    )
    assert field.send(field.fill(capture=by_form)).is_sent
    assert field.edge.register(by_json).status_code == 201

    one, other = field.list_registrations()
    for each in (one, other):
        for name in ("reference", "received_at", "history", "updated_at"):
            each.pop(name, None)
        each["worker"].pop("nik")
    assert one == other


def test_the_answer_says_the_reference_and_that_the_worker_is_not_protected_yet(field: Field) -> None:
    instance_id = make_instance_id()
    instance = field.send(field.fill(instance_id=instance_id))

    reference = field.find_capture(instance_id)["registration"]["reference"]
    assert instance.message == (
        f"Diterima. Nomor pendaftaran {reference}. Pekerja belum terlindungi sebelum iuran dibayar."
    )


def test_the_answer_is_in_the_language_of_the_phone(field: Field) -> None:
    reply = field.post(field.fill(), **{"Accept-Language": "en-US"})
    assert b"The worker is not protected until the contribution is paid." in reply.body


def test_the_worker_was_met_when_the_form_was_begun(field: Field) -> None:
    xml = field.fill(start="2024-10-09T23:50:00.123+07:00", end="2024-10-10T08:00:00.000+07:00")
    assert field.post(xml).status == 201
    assert len(field.list_registrations()) == 1


def test_the_same_form_again_is_201_and_registers_nobody(field: Field) -> None:
    xml = field.fill()
    first = field.post(xml)
    before = dump_stored_state()
    again = field.post(xml)

    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert dump_stored_state() == before


def test_the_same_id_with_other_answers_is_409(field: Field) -> None:
    instance_id = make_instance_id()
    assert field.post(field.fill(instance_id=instance_id)).status == 201
    reply = field.post(field.fill(instance_id=instance_id, worker__name="Orang Lain"))
    assert reply.status == 409
    assert len(field.list_registrations()) == 1


def test_a_worker_who_is_known_is_no_error(field: Field) -> None:
    assert field.send(field.fill()).is_sent
    again = field.send(field.fill())
    assert again.is_sent
    assert again.message.startswith("Pekerja ini sudah terdaftar dengan nomor ")


def test_a_form_of_a_worker_whose_data_was_destroyed_may_leave_the_phone(field: Field) -> None:
    xml = field.fill()
    assert field.post(xml).status == 201
    erasure = {"request_id": str(uuid4()), "nik": make_nik()}
    assert field.edge.send("POST", "/v1/erasures", erasure, caller="admin").status_code < 300

    reply = field.post(xml)
    assert reply.status == 201
    assert "dimusnahkan" in reply.body.decode()


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"worker__nik": "31710741048570"}, "NIK: NIK harus 16 angka. Yang diketik 14 angka."),
        ({"worker__phone": "021-3456789"}, "Nomor HP: Harus nomor HP, bukan telepon rumah."),
        ({"worker__birth_date": "2020-01-01"}, "Tanggal lahir: Usia belum cukup untuk mendaftar."),
        ({"start": "2024-11-09T09:00:00+07:00"}, "Waktu pengisian: Di luar tanggal kegiatan."),
        ({"work__employs_others": "yes"}, "Program: Pekerja yang mempekerjakan orang lain wajib ikut JHT."),
        ({"work__occupations": "astronaut"}, "Pekerjaan: Pekerjaan tidak ada dalam daftar."),
        ({"consent__agreed": ""}, "Persetujuan: Wajib diisi."),
        ({"worker__name": ""}, "Nama: Wajib diisi."),
        ({"work__monthly_income": "banyak"}, "Penghasilan: Jenis isian salah."),
        ({"coverage__months": "4"}, "Jumlah bulan: Pilih salah satu yang tersedia."),
    ],
)
def test_a_refusal_by_the_rules_is_422_with_a_message_that_a_person_can_act_on(
    field: Field, answers: dict[str, str], message: str
) -> None:
    reply = field.post(field.fill(**answers))
    instance = field.send(field.fill(**answers))

    assert reply.status == 422
    assert not instance.is_sent
    assert message in instance.message
    assert field.list_registrations() == []


def test_a_refused_capture_is_counted_as_one_of_the_json_api_is(field: Field) -> None:
    instance_id = make_instance_id()
    assert field.post(field.fill(instance_id=instance_id, worker__phone="021-3456789")).status == 422
    assert field.find_capture(instance_id)["outcome"] == "refused"


def test_a_form_that_was_refused_is_accepted_once_it_is_mended(field: Field) -> None:
    instance_id = make_instance_id()
    assert field.post(field.fill(instance_id=instance_id, worker__phone="021-3456789")).status == 422
    assert field.post(field.fill(instance_id=instance_id)).status == 201


def test_an_edit_of_a_refused_form_is_its_mended_capture(field: Field) -> None:
    refused, edited = make_instance_id(), make_instance_id()
    assert field.post(field.fill(instance_id=refused, worker__phone="021-3456789")).status == 422

    edit = field.fill(instance_id=edited, deprecated_id=refused)
    assert [field.post(edit).status for _ in range(2)] == [201, 201]
    assert len(field.list_registrations()) == 1
    assert field.find_capture(refused)["outcome"] == "created"


def test_an_edit_that_is_refused_too_can_be_edited_again(field: Field) -> None:
    first, second, third = (make_instance_id() for _ in range(3))
    wrong = {"worker__phone": "021-3456789"}
    assert field.post(field.fill(instance_id=first, **wrong)).status == 422
    for _ in range(2):
        assert field.post(field.fill(instance_id=second, deprecated_id=first, **wrong)).status == 422
    edit = field.fill(instance_id=third, deprecated_id=second)

    assert [field.post(edit).status for _ in range(2)] == [201, 201]
    assert len(field.list_registrations()) == 1
    assert field.find_capture(first)["outcome"] == "created"


def test_an_edit_of_a_form_whose_answers_made_no_capture_is_accepted(field: Field) -> None:
    first = make_instance_id()
    assert field.post(field.fill(instance_id=first, coverage__months="4")).status == 422
    assert field.post(field.fill(deprecated_id=first)).status == 201
    assert len(field.list_registrations()) == 1


def test_an_edit_on_another_day_changes_nothing_and_says_who_can(field: Field) -> None:
    accepted = make_instance_id()
    assert field.post(field.fill(instance_id=accepted)).status == 201
    before = field.list_registrations()

    reply = field.post(field.fill(deprecated_id=accepted, worker__name="Nama Lain"))
    assert reply.status == 409
    assert "Minta kantor cabang memperbaikinya" in reply.body.decode()
    assert field.list_registrations() == before


def test_an_edit_of_an_unknown_form_or_of_another_campaigns_is_404(field: Field) -> None:
    assert field.post(field.fill(deprecated_id=make_instance_id())).status == 404
    elsewhere = make_campaign_payload(campaign_id="senen-2024", accepts_until="2999-12-31")
    field.edge.container.campaigns.open(Campaign.model_validate(elsewhere))
    other = make_capture_payload(campaign_id="senen-2024", capture_id=str(uuid4()))
    assert field.edge.register(other, caller="kiosk elsewhere").status_code == 201
    assert field.post(field.fill(deprecated_id=f"uuid:{other['capture_id']}")).status == 404


def test_a_form_taken_before_the_campaign_changed_is_accepted(field: Field) -> None:
    change = {"name": "Aktivasi Pasar Tanah Abang, Blok B"}
    field.edge.send("PATCH", f"/v1/campaigns/{TANAH_ABANG}", change, caller="manager")
    assert field.post(field.fill()).status == 201


@pytest.mark.parametrize("version", ["", "1", "2026112901", "2026112901-zzzzzzzz", "2020010101-0a1b2c3d"])
def test_a_version_that_never_was_is_404(field: Field, version: str) -> None:
    assert field.post(make_instance(version)).status == 404


@pytest.mark.parametrize("campaign_id", ["senen-2024", "never-opened", "../x"])
def test_a_form_that_is_not_the_devices_is_404(field: Field, campaign_id: str) -> None:
    other = make_campaign_payload(campaign_id="senen-2024", accepts_until="2999-12-31")
    field.edge.container.campaigns.open(Campaign.model_validate(other))
    assert field.post(field.fill(capture=make_capture_payload(campaign_id=campaign_id))).status == 404


def test_a_campaign_that_is_closed_is_409_but_what_was_accepted_before_is_answered_as_before(
    edge: Edge,
) -> None:
    edge.container.campaigns.open(
        Campaign.model_validate(make_campaign_payload(campaign_id="senen-2024", accepts_until="2024-12-31"))
    )
    field = Field(edge, "kiosk anywhere")
    reply = field.post(field.fill(capture=make_capture_payload(campaign_id="senen-2024")))
    assert reply.status == 409
    assert "Kegiatan sudah ditutup" in reply.body.decode()


def test_a_request_without_the_protocols_version_is_400(field: Field) -> None:
    assert field.post(field.fill(), **{"X-OpenRosa-Version": ""}).status == 400


def test_the_phone_learns_how_much_one_request_may_carry(field: Field) -> None:
    field.send(field.fill())
    url = f"https://{HOST}/odk/{field.edge.tokens['kiosk']}/submission"
    reply = EdgeTransport(field.edge)("HEAD", url, {}, b"")
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["x-openrosa-accept-content-length"] == "4000000"
    assert reply.headers["x-openrosa-version"] == "1.0"
    assert "location" not in reply.headers


def test_a_capture_in_several_requests_registers_once(field: Field) -> None:
    files = {f"photo-{number}.jpg": bytes([number]) * 100_000 for number in range(120)}
    instance = field.send(field.fill(), files)

    assert instance.is_sent
    assert sum(method == "POST" for method, _ in field.phone.requests) == 4
    assert len(field.list_registrations()) == 1


def test_a_submission_of_four_megabytes_is_accepted_and_a_larger_one_is_413(field: Field) -> None:
    xml = field.fill().encode()
    assert field.post_bytes(*make_multipart(xml, [("a.jpg", b"x" * 4_000_000)])).status == 201
    assert field.post_bytes(*make_multipart(xml, [("a.jpg", b"x" * 5_000_000)])).status == 413


def test_elements_of_other_namespaces_and_unknown_questions_are_left_out(field: Field) -> None:
    extra = '<x:nik xmlns:x="http://example.org/x">1</x:nik><orx:meta><orx:instanceName>A</orx:instanceName></orx:meta>'
    xml = field.fill().replace("<meta>", f"{extra}<new_question>1</new_question><meta>")
    assert field.post(xml).status == 201


def test_meta_may_be_in_the_namespace_of_openrosa(field: Field) -> None:
    xml = field.fill()
    for name in ("meta", "instanceID"):
        xml = xml.replace(f"<{name}>", f"<orx:{name}>").replace(f"</{name}>", f"</orx:{name}>")
    assert field.post(xml).status == 201


def test_no_log_line_has_a_token_or_an_answer(field: Field, log_output: LogOutput) -> None:
    field.send(field.fill())
    field.send(field.fill(worker__phone="021-3456789", worker__name="Rahasia Sekali"))
    field.post(field.fill().replace("<meta>", "<rahasia_sekali/><rahasia_sekali/><meta>"))
    text = log_output.text
    for secret in (field.edge.tokens["kiosk"], make_nik(), "Rahasia", "rahasia_sekali", "3456789", "Melati"):
        assert secret not in text
    assert any("worker.phone: phone_not_mobile" in line.get("fields", ()) for line in log_output.lines)
