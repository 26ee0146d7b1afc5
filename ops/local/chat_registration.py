"""A worker who registers by Telegram, at the fake chat of a local stack."""

import time
from collections.abc import Iterator
from typing import Any

import httpx

from ops.errors import OperationError
from ops.local.chats import CHAT_CAMPAIGN
from ops.local.description import StackDescription

USER_ID = "5000001"
_NIK, _PHONE = "3171075806900018", "+6282455500018"
REGISTERED = "Pendaftaran diterima"
_WAIT_SECONDS, _POLL_SECONDS = 90, 0.2


def make_acts(campaign_id: str, nik: str, phone: str) -> list[dict[str, Any]]:
    """Return what an invented worker does to register by Telegram, one act after another."""
    return [
        {"text": f"/start {campaign_id}"},
        {"button": "Setuju"},
        {"text": nik},
        {"contact": {"phone_number": phone, "own": True}},
        {"text": "Kartini Wulandari"},
        {"text": "Jalan Contoh 18"},
        {"text": "10250"},
        {"button": "Pedagang pasar"},
        {"text": "Pasar Tanah Abang Blok A"},
        {"text": "2 juta"},
        {"button": "Tidak"},
        {"button": "Tidak"},
        {"button": "3 bulan"},
        {"button": "Kirim"},
    ]


def register_by_telegram(description: StackDescription) -> bool:
    """Let the worker register, unless an earlier run did. Return True if this one did.

    Raise OperationError if the bot is silent.
    """
    path = f"{description.chat_url}/telegram/users/{USER_ID}"
    if any(REGISTERED in text for text in _iter_texts(path)):
        return False
    for act in make_acts(CHAT_CAMPAIGN, _NIK, _PHONE):
        before = sum(1 for _ in _iter_texts(path))
        httpx.post(f"{path}/messages", json=act, trust_env=False, timeout=30).raise_for_status()
        _await_answer(path, before)
    *_, last = _iter_texts(path)
    if REGISTERED not in last:
        raise OperationError(f"the bot did not register the worker: {last}", code="chat_failed")
    return True


def _await_answer(path: str, before: int) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while sum(1 for _ in _iter_texts(path)) <= before:
        if time.monotonic() > deadline:
            raise OperationError(
                f"the bot did not answer in {_WAIT_SECONDS} seconds; look at the logs of OnChatEvents",
                code="chat_failed",
            )
        time.sleep(_POLL_SECONDS)


def _iter_texts(path: str) -> Iterator[str]:
    """Yield what the bot has said."""
    for message in httpx.get(f"{path}/transcript", trust_env=False).json():
        if message["from"] == "bot":
            yield message["text"]
