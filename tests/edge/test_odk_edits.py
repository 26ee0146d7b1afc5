"""Edits of accepted forms in ODK Collect: corrections of the same device and day, and nobody else's."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.edge.conftest import Edge
from tests.edge.test_lifecycle_routes import PAYMENT
from tests.support.odk_edge import Field
from tests.support.odk_instances import make_instance_id
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik

TODAYS = "senen-2024"


class TodaysField(Field):
    """A phone that works for a campaign of today."""

    def fill_today(self, **answers: Any) -> str:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return self.fill(capture=make_capture_payload(campaign_id=TODAYS, captured_at=now), **answers)

    def show(self, instance_id: str) -> dict[str, Any]:
        """Return the registration that a form made, as the core system sees it."""
        reference = self.find_capture(instance_id)["reference"]
        shown: dict[str, Any] = self.edge.send(
            "GET", f"/v1/registrations/{reference}", caller="core"
        ).json_body
        return shown


@pytest.fixture
def field(edge: Edge) -> TodaysField:
    day = datetime.now(UTC).astimezone(ZoneInfo("Asia/Jakarta")).date().isoformat()
    campaign = make_campaign_payload(
        campaign_id=TODAYS, first_day=day, last_day=day, accepts_until="2999-12-31"
    )
    assert edge.send("POST", "/v1/campaigns", campaign, caller="manager").status_code == 201
    return TodaysField(edge, "kiosk anywhere")


def test_an_edit_on_the_same_day_corrects_the_registration_once(field: TodaysField) -> None:
    accepted, edited = make_instance_id(), make_instance_id()
    assert field.post(field.fill_today(instance_id=accepted)).status == 201

    edit = field.fill_today(
        instance_id=edited, deprecated_id=accepted, worker__name="Mawar", coverage__months="6"
    )
    replies = [field.post(edit) for _ in range(2)]

    assert [each.status for each in replies] == [201, 201]
    shown = field.show(accepted)
    assert (shown["worker"]["name"], shown["coverage"]["months"]) == ("Mawar", 6)
    assert [each["event"] for each in shown["history"]] == ["registered", "corrected"]
    assert shown["history"][-1]["detail"]["fields"] == "worker.name,coverage.months"
    assert shown["reference"] in replies[0].body.decode()


def test_an_edit_of_an_edit_corrects_the_same_registration(field: TodaysField) -> None:
    first, second, third = (make_instance_id() for _ in range(3))
    assert field.post(field.fill_today(instance_id=first)).status == 201
    for instance_id, deprecated_id, name in ((second, first, "Mawar"), (third, second, "Melur")):
        edit = field.fill_today(instance_id=instance_id, deprecated_id=deprecated_id, worker__name=name)
        assert field.post(edit).status == 201

    shown = field.show(first)
    assert shown["worker"]["name"] == "Melur"
    assert len(shown["history"]) == 3


def test_an_edit_that_changes_no_answer_is_accepted_and_changes_nothing(field: TodaysField) -> None:
    accepted = make_instance_id()
    assert field.post(field.fill_today(instance_id=accepted)).status == 201
    assert field.post(field.fill_today(deprecated_id=accepted)).status == 201
    assert len(field.show(accepted)["history"]) == 1


def test_an_edit_that_breaks_a_rule_names_the_answer_and_changes_nothing(field: TodaysField) -> None:
    accepted = make_instance_id()
    assert field.post(field.fill_today(instance_id=accepted)).status == 201

    reply = field.post(field.fill_today(deprecated_id=accepted, worker__phone="021-3456789"))

    assert reply.status == 422
    assert "Harus nomor HP" in reply.body.decode()
    assert len(field.show(accepted)["history"]) == 1


def test_an_edit_of_the_nik_moves_the_registration_or_says_that_the_nik_has_one(field: TodaysField) -> None:
    accepted, other = make_instance_id(), make_instance_id()
    assert field.post(field.fill_today(instance_id=accepted)).status == 201
    assert field.post(field.fill_today(instance_id=other, worker__nik=make_nik(7002))).status == 201

    taken = field.post(field.fill_today(deprecated_id=accepted, worker__nik=make_nik(7002)))
    free = field.post(field.fill_today(deprecated_id=accepted, worker__nik=make_nik(7003)))

    assert (taken.status, free.status) == (409, 201)
    assert "NIK ini sudah punya pendaftaran" in taken.body.decode()
    assert field.show(accepted)["worker"]["nik"] == make_nik(7003)


def test_after_payment_and_from_another_phone_an_edit_is_the_branchs_matter(field: TodaysField) -> None:
    accepted = make_instance_id()
    assert field.post(field.fill_today(instance_id=accepted)).status == 201
    reference = field.show(accepted)["reference"]
    other = TodaysField(field.edge, "kiosk elsewhere", version=field.version)
    edit = field.fill_today(deprecated_id=accepted, worker__name="Mawar")
    assert other.post(edit).status == 409

    paid_at = datetime.now(UTC).isoformat(timespec="seconds")
    path = f"/v1/registrations/{reference}/payments"
    field.edge.send("POST", path, {**PAYMENT, "paid_at": paid_at}, caller="core")
    reply = field.post(edit)

    assert reply.status == 409
    assert "Minta kantor cabang memperbaikinya" in reply.body.decode()
    assert field.show(accepted)["worker"]["name"] != "Mawar"


def test_the_edit_of_a_worker_who_was_known_already_changes_nothing(field: TodaysField) -> None:
    known = make_capture_payload(capture_id=make_capture_id(5))
    assert field.edge.register(known).status_code == 201
    repeat = make_instance_id()
    assert field.post(field.fill_today(instance_id=repeat)).status == 201

    assert field.post(field.fill_today(deprecated_id=repeat, worker__name="Mawar")).status == 409
