"""Chats through the functions, under their roles: answers, WhatsApp's link, and notifications."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.chats.prices import find_price
from ops.fake_chat.accounts import TELEGRAM_SECRET
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, LogOutput, read_tables
from tests.support.aws_events import make_domain_event, make_sqs_event
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik
from tests.support.provider_chats import APP_URL, CAMPAIGN, ProviderChats, run_chats

# Metered since October 2026.
PRICE = find_price("whatsapp", "service", date(2026, 11, 29))
_ANI, _SITI = "1001", "6283100000001"


@pytest.fixture
def chats(edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderChats]:
    with run_chats(edge, tmp_path, monkeypatch) as chats:
        yield chats


def _open_form(chats: ProviderChats) -> str:
    """Agree in WhatsApp. Return the code of the link that is given."""
    chats.act("whatsapp", _SITI, text="Halo")
    chats.act("whatsapp", _SITI, button="Setuju")
    [link] = chats.chat.get_transcript("whatsapp", _SITI)[-1]["links"].values()
    assert link.startswith(f"{APP_URL}#self=")
    code: str = link.partition("=")[2]
    return code


def _register_by_link(chats: ProviderChats) -> str:
    """Register a worker by WhatsApp's link. Return the reference."""
    body = {"code": _open_form(chats), "enrolment_id": "01926f3e-7c00-4000-8000-000000000001"}
    opened = chats.edge.send("POST", "/v1/enrolments", body, caller=None)
    chats.edge.tokens["phone"] = opened.json_body["token"]
    worker = {"nik": make_nik(61), "phone": "0824-5551-0061"}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    capture = make_capture_payload(
        capture_id=make_capture_id(61),
        campaign_id=CAMPAIGN,
        captured_at=now,
        officer=None,
        worker=worker,
        consent={"text_version": "2024-10", "given_at": now, "method": "tick"},
    )
    assert chats.edge.register(capture, caller="phone").status_code == 202
    shown = chats.edge.send("GET", f"/v1/captures/{make_capture_id(61)}", caller="manager").json_body
    reference: str = shown["registration"]["reference"]
    return reference


def _issue_payment_code(chats: ProviderChats, reference: str) -> None:
    """Issue a payment code, and run the function that tells the worker."""
    expires_on = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
    code = {"code": "KODE-77", "amount": 49_200, "expires_on": expires_on}
    path = f"/v1/registrations/{reference}/payment-code"
    assert chats.edge.send("PUT", path, code, caller="core").status_code == 200
    event = make_domain_event(
        type="RegistrationChanged",
        reference=reference,
        event_type="payment_code_issued",
        event_version=2,
    )
    assert chats.edge.invoke("on_notifications", make_sqs_event(event)) == {"batchItemFailures": []}


def test_a_text_in_telegram_is_answered_and_nothing_of_it_is_logged(
    chats: ProviderChats, log_output: LogOutput
) -> None:
    [text] = chats.act("telegram", _ANI, text="halo, saya Siti Aminah")
    assert text
    assert chats.act("telegram", _ANI, text="bantuan")
    assert "Siti Aminah" not in log_output.text
    assert TELEGRAM_SECRET["bot_token"] not in log_output.text


def test_whatsapp_gives_a_link_and_asks_for_no_number_of_identity(chats: ProviderChats) -> None:
    assert _open_form(chats)
    answers = chats.act("whatsapp", _SITI, text=make_nik(60))
    assert make_nik(60) not in str(answers)
    assert "16 angka" not in str(answers)


def test_nothing_that_a_person_writes_to_whatsapp_is_readable_in_logs_and_tables(
    chats: ProviderChats, log_output: LogOutput
) -> None:
    reference = _register_by_link(chats)
    chats.act("whatsapp", _SITI, text=f"NIK saya {make_nik(60)}, nama Siti Aminah")
    _issue_payment_code(chats, reference)
    personal = (
        make_nik(60),
        make_nik(61),
        "Siti Aminah",
        "Melati Kusumawati",
        "24-5551-0061",
        "82455510061",
        _SITI,
    )
    for place, text in {"log": log_output.text, "tables": read_tables()}.items():
        assert [value for value in personal if value in text] == [], place


def test_who_registered_by_whatsapps_link_hears_of_the_payment_code_there(
    chats: ProviderChats, gateway: FakeSmsServer
) -> None:
    reference = _register_by_link(chats)
    _issue_payment_code(chats, reference)
    assert "KODE" in chats.list_texts("whatsapp", _SITI)[-1]
    assert gateway.inbox.list_sms() == []


def count_day(chats: ProviderChats) -> dict[str, Any]:
    """Return what the summary of today says of messages."""
    today = chats.edge.container.campaigns.get(CAMPAIGN).local_day(datetime.now(UTC)).isoformat()
    path = f"/v1/campaigns/{CAMPAIGN}/summaries/{today}"
    texts: dict[str, Any] = chats.edge.send("POST", path, {}, caller="manager").json_body["texts"]
    return texts


def test_a_registration_by_whatsapp_takes_three_messages_and_the_summary_has_their_price(
    chats: ProviderChats, gateway: FakeSmsServer
) -> None:
    reference = _register_by_link(chats)
    _issue_payment_code(chats, reference)
    texts = count_day(chats)
    # Greeting with the consent, the link; the payment code.
    assert len(chats.list_texts("whatsapp", _SITI)) == 3
    assert (texts["whatsapp_dialogue"], texts["whatsapp_dialogue_rupiah"]) == (2, 2 * PRICE)
    assert (texts["whatsapp"], texts["whatsapp_rupiah"]) == (1, PRICE)
    assert texts["rupiah"] == 3 * PRICE
    assert texts["total"] == 1, "a message of a dialogue is no SMS"


def test_the_summary_counts_the_messages_of_telegram_which_cost_nothing(chats: ProviderChats) -> None:
    chats.act("telegram", _ANI, text="/start")
    chats.act("telegram", _ANI, button="Setuju")
    texts = count_day(chats)
    assert (texts["telegram_dialogue"], texts["telegram_dialogue_rupiah"]) == (2, 0)
    assert (texts["total"], texts["rupiah"]) == (0, 0)


def test_who_blocked_the_business_hears_of_it_by_sms(chats: ProviderChats, gateway: FakeSmsServer) -> None:
    reference = _register_by_link(chats)
    chats.chat.act("whatsapp", _SITI, blocks=True)
    _issue_payment_code(chats, reference)
    chats.deliver()
    chats.run("on_receipts", "DAFTAR_RECEIPTS_QUEUE_URL")
    [row] = list(chats.edge.container.sms_history.iter_by_reference(reference))
    assert (row.state, row.reason) == ("pending", "chat_not_delivered")
    due = {"type": "SmsDue", "version": 1, "sms_id": row.sms_id}
    chats.edge.invoke("on_notifications", make_sqs_event(due))
    [sms] = gateway.inbox.list_sms()
    assert "KODE" in sms.text
