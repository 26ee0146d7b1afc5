"""A registration by chat: once, told to nobody, and erased and disclosed like everything else."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.callers import Channel
from chalicelib.campaigns.model import CampaignDay
from chalicelib.registrations.model import Registration
from tests.edge.conftest import Edge, LogOutput, read_tables
from tests.support.chat_edge import CAMPAIGN, GATEWAY_TOKEN, ChatEdge, make_chat_environment
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik, make_phone

NIK, NAME, ADDRESS, PLACE = make_nik(), "Siti Aminah", "Jl. Kebon Kacang 3", "Blok A"
PHONE, LOCAL_PHONE = "+6282455507001", make_phone()
ANSWERS = (NIK, LOCAL_PHONE, NAME, ADDRESS, "10240", "kuli panggul", PLACE, "2,5 juta", "tidak", "tidak", "3")
PERSONAL = (NIK, NAME, ADDRESS, PHONE, PHONE.removeprefix("+"), LOCAL_PHONE, "5000000001")


@pytest.fixture
def chat(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> ChatEdge:
    """A person in a stage with chats."""
    for name, value in make_chat_environment(edge).items():
        monkeypatch.setenv(name, value)
    edge.restart()
    return ChatEdge(edge)


def list_registrations(edge: Edge) -> list[Registration]:
    store, found = edge.container.reading_store, []
    campaign = edge.container.campaigns.get(CAMPAIGN)
    for day in campaign.iter_days():
        page = store.list_by_campaign_day(CampaignDay(CAMPAIGN, day), start_after=None, page_size=200)
        found += list(page.rows)
    return found


def register(chat: ChatEdge, *answers: str) -> None:
    chat.say("halo", "setuju", *(answers or ANSWERS))
    chat.tap("Kirim")


def test_a_worker_registers_by_telegram(chat: ChatEdge) -> None:
    register(chat)
    assert "Pendaftaran diterima" in chat.last_text
    (registration,) = list_registrations(chat.edge)
    metadata = registration.capture_metadata
    assert (metadata.channel, metadata.client_id) == (Channel.TELEGRAM, "chat-telegram")
    worker = registration.worker
    assert (worker.name, worker.phone, worker.language) == (NAME, PHONE, "id")
    assert registration.consent.text_version == "2024-10"
    assert registration.consent.method == "tick"
    assert registration.coverage.months == 3


def test_every_event_is_answered_by_one_message_and_every_tap_acknowledged(chat: ChatEdge) -> None:
    chat.say("halo")
    assert [call.method for call in chat.tap("Setuju")] == ["answerCallbackQuery", "sendMessage"]
    assert [call.method for call in chat.say(NIK)] == ["sendMessage"]


def test_an_update_that_comes_again_changes_nothing(chat: ChatEdge) -> None:
    register(chat)
    sessions = [item for item in list_stored_items("ConversationsTable") if item["sk"]["S"] == "SESSION"]
    outbox = [
        item["sk"]["S"]
        for item in list_stored_items("ConversationsTable")
        if item["sk"]["S"].startswith("OUT#")
    ]
    for body in [body for body in chat.bodies if "sealed" in body]:
        assert chat.handle(body) == []
    after = list_stored_items("ConversationsTable")
    assert [item for item in after if item["sk"]["S"] == "SESSION"] == sessions
    assert [item["sk"]["S"] for item in after if item["sk"]["S"].startswith("OUT#")] == outbox
    assert len(list_registrations(chat.edge)) == 1


def test_a_worker_process_that_died_after_intake_registers_once(chat: ChatEdge) -> None:
    chat.say("halo", "setuju", *ANSWERS)
    store = chat.edge.container.conversation_store
    commit = store.commit

    def die(*_: Any) -> None:
        raise ConnectionError("the process died")

    # The store is that of the container of this test, in place of a process that is killed.
    object.__setattr__(store, "commit", die)
    chat.post({"update_id": 77, "message": chat._make_message(text="kirim")})
    assert chat.work() == ["m-0"]
    assert len(list_registrations(chat.edge)) == 1
    object.__setattr__(store, "commit", commit)
    assert chat.handle(chat.bodies[-1]) == []
    chat.read_calls()
    assert "Pendaftaran diterima" in chat.last_text
    assert len(list_registrations(chat.edge)) == 1


def measure(items: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Return kind and size of what was stored in chats, in order."""
    return sorted((item["sk"]["S"].partition("#")[0], len(json.dumps(item, default=len))) for item in items)


def test_nobody_learns_whether_a_worker_is_known(chat: ChatEdge) -> None:
    known = make_capture_payload(
        worker={"nik": NIK, "phone": make_phone(9)}, capture_id="01927c7e-0000-7000-8000-0000000000aa"
    )
    assert chat.edge.send("POST", "/v1/registrations", known).status_code == 201
    stranger = ChatEdge(chat.edge, chat.chat_id + 1)
    before = list_stored_items("ConversationsTable")
    register(chat)
    first = [item for item in list_stored_items("ConversationsTable") if item not in before]
    register(stranger, make_nik(7002), *ANSWERS[1:])
    second = [
        item for item in list_stored_items("ConversationsTable") if item not in before and item not in first
    ]
    assert measure(first) == measure(second)
    shown = [[(call.method, call.params.get("text")) for call in each.calls] for each in (chat, stranger)]
    assert [text for _, text in shown[0]][:2] == [text for _, text in shown[1]][:2]
    assert shown[0][-2:] == shown[1][-2:]
    assert len(shown[0]) == len(shown[1])


def test_nothing_personal_is_readable_in_logs_queues_and_tables(
    chat: ChatEdge, log_output: LogOutput
) -> None:
    register(chat)
    chat.say("status", "7K4-M2Q-X9P", LOCAL_PHONE)
    tables = json.dumps(list_stored_items("ConversationsTable"), default=repr)
    for place, text in {"log": log_output.text, "queues": "".join(chat.bodies), "tables": tables}.items():
        assert [value for value in PERSONAL if value in text] == [], place


def test_a_person_asks_for_the_state_and_the_payment_code(chat: ChatEdge) -> None:
    register(chat)
    (registration,) = list_registrations(chat.edge)
    code = {"code": "BRH-7K4", "amount": 49_200, "expires_on": "2999-12-31"}
    path = f"/v1/registrations/{registration.reference}/payment-code"
    expires_on = registration.expires_on.isoformat()
    assert chat.edge.send("PUT", path, {**code, "expires_on": expires_on}, caller="core").status_code == 200
    chat.say("cek", registration.reference, LOCAL_PHONE)
    assert "BRH-7K4" in chat.last_text
    assert "Rp49.200" in chat.last_text
    wrong = chat.say("cek", registration.reference, make_phone(8))
    unknown = chat.say("cek", "7K4-M2Q-X9P", LOCAL_PHONE)
    assert wrong == unknown
    assert "BRH-7K4" not in wrong[0].params["text"]


def test_a_draft_is_disclosed_and_erased_with_its_worker(chat: ChatEdge) -> None:
    chat.say("halo", "setuju", *ANSWERS[:4])
    disclosed = chat.edge.send("POST", "/v1/disclosures", make_request(8), caller="admin")
    assert disclosed.status_code == 200
    (draft,) = [each for each in disclosed.json_body["chats"] if each["kind"] == "draft"]
    assert (draft["channel"], draft["answers"]["name"]) == ("telegram", NAME)
    request = disclosed.json_body["request"]
    assert request["outcome"] == "disclosed", "a draft is held, although nobody is registered"
    assert (request["registrations"], request["captures"]) == (0, 0)
    assert request["chats"] == len(disclosed.json_body["chats"])
    erased = chat.edge.send("POST", "/v1/erasures", make_request(9), caller="admin")
    assert (erased.status_code, erased.json_body["outcome"]) == (200, "erased")
    again = chat.edge.send("POST", "/v1/disclosures", make_request(10), caller="admin")
    assert again.json_body["request"]["outcome"] == "nothing_held"
    left = [item for item in list_stored_items("ConversationsTable") if "worker_key" in item]
    assert left == []
    assert "Setuju" in json.dumps([call.params for call in chat.say("halo")])


def make_request(number: int) -> dict[str, Any]:
    return {"request_id": make_capture_id(number), "nik": NIK, "reason": "worker_request"}


def send_ussd(edge: Edge, session_id: str, history: str, *, phone: str = PHONE) -> str:
    form = {"sessionId": session_id, "serviceCode": "*500#", "phoneNumber": phone, "text": history}
    response = edge.send(
        *("POST", "/v1/channels/ussd", urlencode(form).encode()),
        caller=None,
        Authorization=f"Bearer {GATEWAY_TOKEN}",
        Content_Type="application/x-www-form-urlencoded",
    )
    assert response.status_code == 200
    return str(response.body.decode())


def send_sms(edge: Edge, number: int, text: str, *, phone: str = LOCAL_PHONE) -> str:
    form = {"from": phone, "to": "99500", "text": text, "id": str(number)}
    response = edge.send(
        *("POST", "/v1/channels/sms/inbound", urlencode(form).encode()),
        caller=None,
        Authorization=f"Bearer {GATEWAY_TOKEN}",
        Content_Type="application/x-www-form-urlencoded",
    )
    return str(response.body.decode())


def list_answers(nik: str) -> tuple[str, ...]:
    """Return what a person types where the channel knows the phone."""
    return ("setuju", nik, *ANSWERS[2:], "kirim")


def register_by_ussd(edge: Edge, nik: str = NIK, phone: str = PHONE) -> str:
    history, screen = "", send_ussd(edge, "s-1", "", phone=phone)
    for answer in list_answers(nik):
        history = f"{history}*{answer}" if history else answer
        screen = send_ussd(edge, "s-1", history, phone=phone)
        assert screen.startswith("CON ")
        assert send_ussd(edge, "s-1", history, phone=phone) == screen, "the gateway asked again"
    return screen


def register_by_sms(edge: Edge, nik: str = NIK, phone: str = LOCAL_PHONE) -> str:
    reply = ""
    for number, text in enumerate(("DAFTAR", *list_answers(nik))):
        reply = send_sms(edge, number, text, phone=phone)
        assert send_sms(edge, number, text, phone=phone) == reply, "the gateway asked again"
    return reply


@pytest.mark.parametrize("register_by", [register_by_sms, register_by_ussd])
def test_nobody_learns_by_text_message_whether_a_worker_is_known(
    chat: ChatEdge, register_by: Callable[[Edge, str, str], str]
) -> None:
    known = make_capture_payload(
        worker={"nik": NIK, "phone": make_phone(9)}, capture_id="01927c7e-0000-7000-8000-0000000000aa"
    )
    assert chat.edge.send("POST", "/v1/registrations", known).status_code == 201
    first_reply = register_by(chat.edge, NIK, "+6282455507001")
    first = list_stored_items("ConversationsTable")
    second_reply = register_by(chat.edge, make_nik(7002), "+6282455507002")
    second = [item for item in list_stored_items("ConversationsTable") if item not in first]
    assert first_reply == second_reply
    assert "Pendaftaran diterima" in first_reply.replace("\n", " ")
    assert measure(first) == measure(second)


def test_the_same_answers_by_every_channel_make_equal_registrations(chat: ChatEdge) -> None:
    registered = []
    for run in (
        lambda: register(chat),
        lambda: register_by_sms(chat.edge),
        lambda: register_by_ussd(chat.edge),
    ):
        run()
        (registration,) = list_registrations(chat.edge)
        registered.append(registration)
        body = make_request(len(registered))
        assert chat.edge.send("POST", "/v1/erasures", body, caller="admin").status_code == 200
    assert [each.capture_metadata.channel for each in registered] == ["telegram", "sms", "ussd"]
    first = registered[0]
    for other in registered[1:]:
        assert (other.worker, other.work, other.coverage, other.quote) == (
            *(first.worker, first.work, first.coverage, first.quote),
        )
        assert other.consent.text_version == first.consent.text_version


@pytest.mark.parametrize("register_by", [register_by_sms, register_by_ussd])
def test_nothing_personal_of_a_text_message_is_readable_in_logs_and_tables(
    chat: ChatEdge, log_output: LogOutput, register_by: Callable[[Edge], str]
) -> None:
    register_by(chat.edge)
    assert len(list_registrations(chat.edge)) == 1
    for place, text in {"log": log_output.text, "tables": read_tables()}.items():
        assert [value for value in (*PERSONAL, PLACE) if value in text] == [], place


def test_a_ussd_session_that_broke_off_goes_on_with_the_next_one(chat: ChatEdge) -> None:
    send_ussd(chat.edge, "s-1", "")
    send_ussd(chat.edge, "s-1", "setuju")
    send_ussd(chat.edge, "s-1", f"setuju*{NIK}")
    screen = send_ussd(chat.edge, "s-2", "")
    assert "nama lengkap" in screen


def test_a_name_with_the_sign_that_joins_answers_is_read_whole(chat: ChatEdge) -> None:
    history = ""
    for answer in ("", "setuju", NIK, "Siti * Aminah"):
        history = f"{history}*{answer}" if history else answer
        screen = send_ussd(chat.edge, "s-1", history)
    assert "karakter" in screen, "the sign is part of the name, which is refused"
    assert "Alamat" not in screen


@pytest.mark.parametrize("authorization", ["", "Bearer x", f"Bearer {GATEWAY_TOKEN}x"])
@pytest.mark.parametrize("path", ["/v1/channels/ussd", "/v1/channels/sms/inbound"])
def test_a_gateway_without_our_token_is_refused(path: str, authorization: str, chat: ChatEdge) -> None:
    response = chat.edge.send("POST", path, b"from=1&text=x", caller=None, Authorization=authorization)
    assert response.status_code == 403
    assert list_stored_items("ConversationsTable") == []
