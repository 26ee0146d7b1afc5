"""A person in a chat asks for somebody, and a manager answers there: once, and without seeing the answers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chalice.test import HTTPResponse

from chalicelib.conversations.service import Turn
from tests.edge.conftest import Edge, LogOutput, assert_problem
from tests.edge.test_audit_trail import list_records
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_capture_id, make_nik
from tests.support.provider_chats import CAMPAIGN, ProviderChats, run_chats

ANI, SITI = "1001", "6283100000001"
ITEMS = f"/v1/campaigns/{CAMPAIGN}/review-items"
NIK, NAME = make_nik(62), "Siti Aminah"
TEXT = "Datanglah ke meja 3 di Blok A."


@pytest.fixture
def chats(edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderChats]:
    with run_chats(edge, tmp_path, monkeypatch) as chats:
        yield chats


def ask_for_a_person(chats: ProviderChats) -> dict[str, Any]:
    """Let Ani give NIK and phone in Telegram and ask for a person. Return the review item."""
    chats.act("telegram", ANI, text="/start")
    chats.act("telegram", ANI, button="Setuju")
    chats.act("telegram", ANI, text=NIK)
    [text] = chats.act("telegram", ANI, text="petugas")
    assert "Petugas kampanye" in text
    [item] = list_items(chats)
    return item


def list_items(chats: ProviderChats, state: str = "open") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = chats.edge.send(
        "GET", f"{ITEMS}?state={state}", caller="manager"
    ).json_body["items"]
    return items


def answer(
    chats: ProviderChats, item_id: str, text: str = TEXT, *, number: int = 1, caller: str = "manager"
) -> HTTPResponse:
    body = {"answer_id": make_capture_id(number), "text": text}
    return chats.edge.send("POST", f"{ITEMS}/{item_id}/answer", body, caller=caller)


def deliver(chats: ProviderChats) -> None:
    chats.run("on_chat_outbox", "DAFTAR_CHAT_OUTBOX_QUEUE_URL")


def age_session(chats: ProviderChats, age: timedelta) -> None:
    """Let the last message of every chat be older."""
    store = chats.edge.container.conversation_store
    for values in list_stored_items("ConversationsTable"):
        if values["sk"]["S"] == "SESSION":
            chat_key = values["pk"]["S"].removeprefix("CHAT#")
            now = datetime.now(UTC)
            stored = store.find_session(chat_key, now=now)
            assert stored.session is not None
            touched = stored.session.model_copy(update={"touched_at": now - age})
            turn = Turn(
                channel="whatsapp",
                chat_key=chat_key,
                event_key="aged",
                session=touched,
                revision=stored.revision,
                messages=(),
                reply=None,
                worker_key=None,
                now=now,
            )
            store.commit(turn)


def test_a_manager_sees_where_a_person_is_stuck_and_no_answer(chats: ProviderChats) -> None:
    item = ask_for_a_person(chats)
    assert (item["kind"], item["note"], item["is_answerable"]) == (
        "talk_to_person",
        "telegram, phone, id",
        True,
    )
    assert NIK not in json.dumps(item)
    chats.act("telegram", ANI, text="petugas")
    assert len(list_items(chats)) == 1


def test_an_answer_reaches_the_person_once_and_the_dialogue_goes_on(chats: ProviderChats) -> None:
    item = ask_for_a_person(chats)
    before = len(chats.list_texts("telegram", ANI))
    first = answer(chats, item["item_id"])
    assert (first.status_code, first.json_body["state"]) == (202, "pending")
    deliver(chats)
    again = answer(chats, item["item_id"])
    assert (again.status_code, again.json_body["state"]) == (202, "sent")
    assert again.headers["Idempotent-Replayed"] == "true"
    deliver(chats)
    [text] = chats.list_texts("telegram", ANI)[before:]
    assert text.startswith(f"Jawaban petugas: {TEXT}")
    [asked] = chats.act("telegram", ANI, text="mulai")
    assert "nomor HP" in asked, "the question before goes on"
    [named] = chats.act("telegram", ANI, text="0824-5550-0062")
    assert "nama lengkap" in named


def test_an_answer_acts_on_the_item_and_is_in_the_trail(chats: ProviderChats) -> None:
    item = ask_for_a_person(chats)
    answer(chats, item["item_id"])
    assert list_items(chats) == []
    [acted_on] = list_items(chats, "acted_on")
    assert acted_on["changed_by"]
    records = list_records(chats.edge, f"subject=review_item:{item['item_id']}")
    assert [each["action"] for each in records if each["action"] == "answered"] == ["answered"]
    assert TEXT not in json.dumps(records)


def test_a_person_who_asks_again_after_the_answer_opens_the_item_again(chats: ProviderChats) -> None:
    item = ask_for_a_person(chats)
    answer(chats, item["item_id"])
    chats.act("telegram", ANI, text="petugas")
    assert [each["item_id"] for each in list_items(chats)] == [item["item_id"]]


def test_an_answer_id_is_good_for_one_text(chats: ProviderChats) -> None:
    item = ask_for_a_person(chats)
    answer(chats, item["item_id"])
    assert_problem(answer(chats, item["item_id"], "Lain"), 409, "answer_reused")
    assert answer(chats, item["item_id"], "Lain", number=2).status_code == 202


@pytest.mark.parametrize("text", [" ", "a\u0000b", "dua\nbaris"])
def test_an_answer_is_one_readable_line(chats: ProviderChats, text: str) -> None:
    item = ask_for_a_person(chats)
    assert answer(chats, item["item_id"], text).status_code == 422
    assert [each["item_id"] for each in list_items(chats)] == [item["item_id"]]


def test_an_answer_is_sealed_until_it_is_sent_and_gone_after_that(
    chats: ProviderChats, log_output: LogOutput
) -> None:
    item = ask_for_a_person(chats)
    answer(chats, item["item_id"])
    stored = json.dumps(list_stored_items("ConversationsTable"), default=repr)
    deliver(chats)
    for place, text in {"log": log_output.text, "tables": stored}.items():
        assert [value for value in (TEXT, NIK, ANI) if value in text] == [], place
    [sent] = [
        each for each in list_stored_items("ConversationsTable") if each["sk"]["S"].startswith("OUT#answer-")
    ]
    assert "sealed" not in sent


def test_a_whatsapp_chat_is_answered_for_a_day(chats: ProviderChats) -> None:
    chats.act("whatsapp", SITI, text="Halo")
    chats.act("whatsapp", SITI, text="petugas")
    [item] = list_items(chats)
    age_session(chats, timedelta(hours=23, minutes=50))
    assert answer(chats, item["item_id"]).status_code == 202
    deliver(chats)
    assert TEXT in chats.list_texts("whatsapp", SITI)[-1]
    chats.act("whatsapp", SITI, text="petugas")


def test_after_a_day_whatsapp_takes_templates_only(chats: ProviderChats) -> None:
    chats.act("whatsapp", SITI, text="Halo")
    chats.act("whatsapp", SITI, text="petugas")
    [item] = list_items(chats)
    age_session(chats, timedelta(hours=24))
    assert_problem(answer(chats, item["item_id"]), 409, "chat_window_closed")
    deliver(chats)
    assert TEXT not in str(chats.list_texts("whatsapp", SITI))
    assert [each["item_id"] for each in list_items(chats)] == [item["item_id"]]
    chats.act("whatsapp", SITI, text="Halo")
    assert answer(chats, item["item_id"]).status_code == 202


def test_a_telegram_chat_has_no_such_window(chats: ProviderChats) -> None:
    item = ask_for_a_person(chats)
    age_session(chats, timedelta(days=3))
    assert answer(chats, item["item_id"]).status_code == 202


def test_an_item_of_another_campaign_is_unknown(chats: ProviderChats) -> None:
    item = ask_for_a_person(chats)
    other = f"/v1/campaigns/tanah-abang-2024/review-items/{item['item_id']}/answer"
    body = {"answer_id": make_capture_id(1), "text": TEXT}
    assert_problem(chats.edge.send("POST", other, body, caller="manager"), 404, "review_item_unknown")


def test_what_a_person_asked_and_was_answered_is_disclosed_and_erased(chats: ProviderChats) -> None:
    item = ask_for_a_person(chats)
    answer(chats, item["item_id"])
    request = {"request_id": make_capture_id(8), "nik": NIK, "reason": "worker_request"}
    disclosed = chats.edge.send("POST", "/v1/disclosures", request, caller="admin").json_body
    assert "hand_off" in [each["kind"] for each in disclosed["chats"]]
    assert [each for each in disclosed["chats"] if TEXT in str(each["text"])]
    request = {**request, "request_id": make_capture_id(9)}
    assert chats.edge.send("POST", "/v1/erasures", request, caller="admin").status_code == 200
    left = [each["sk"]["S"] for each in list_stored_items("ConversationsTable") if "sealed" in each]
    assert left == []
    assert list_items(chats, "acted_on") == []
    assert_problem(answer(chats, item["item_id"], number=3), 404, "review_item_unknown")
