"""Telegram's Bot API: the methods that Daftar uses, with the errors that Telegram answers.

https://core.telegram.org/bots/api; descriptions of errors as tdlib/telegram-bot-api has them.
"""

import itertools
import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from ops.fake_chat.accounts import BOT_ID, BOT_TOKEN, BOT_USERNAME
from ops.fake_chat.deliveries import Delivery
from ops.fake_chat.faults import CALL_MODES, TIMEOUT_MODES, ConnectionDropped, Fault, FaultInjector, FaultMode
from ops.fake_chat.rate_limits import Limit, RateLimits
from ops.fake_chat.transcripts import App, Button, ButtonKind, ChatMessage, TranscriptStore

_MAX_TEXT = 4096
_MAX_CALLBACK_BYTES = 64
_CALLBACK_SECONDS = 150
# https://core.telegram.org/bots/faq: 30 messages a second, one a second to a chat; short bursts pass.
_OVERALL, _PER_CHAT = Limit(30, 30), Limit(1, 5)
# A webhook's answer may not name these.
_NOT_IN_ANSWERS = {"setwebhook", "deletewebhook", "close", "logout"}

Method = Callable[[dict[str, Any]], Any]

BOT_USER = {"id": BOT_ID, "is_bot": True, "first_name": "Daftar", "username": BOT_USERNAME}


@dataclass(frozen=True)
class ApiAnswer:
    """The answer of the Bot API."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Webhook:
    """The webhook that `setWebhook` named."""

    url: str = ""
    secret_token: str = ""
    allowed_updates: tuple[str, ...] = ()


class _Refused(Exception):
    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        body = {"ok": False, "error_code": status, "description": description}
        self.answer = ApiAnswer(status, body | ({"parameters": parameters} if parameters else {}))


class BotApi:
    """Executes methods of the one bot. Users exist once they wrote to it."""

    def __init__(self, transcripts: TranscriptStore, faults: FaultInjector) -> None:
        self.webhook = Webhook()
        self.blocked: set[str] = set()
        self._transcripts = transcripts
        self._faults = faults
        self._limits = RateLimits(overall=_OVERALL, per_chat=_PER_CHAT)
        self._ids = itertools.count(transcripts.count_messages() + 1)
        self._callbacks: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self._methods: dict[str, Method] = {
            "getme": lambda _: BOT_USER,
            "setwebhook": self._set_webhook,
            "deletewebhook": lambda _: self._set_webhook({}),
            "getwebhookinfo": self._describe_webhook,
            "sendmessage": self._send_message,
            "editmessagetext": self._edit_message_text,
            "answercallbackquery": self._answer_callback_query,
        }

    def handle(self, token: str, method: str, body: bytes) -> ApiAnswer:
        """Execute a method. Raise ConnectionDropped."""
        try:
            if token != BOT_TOKEN:
                raise _Refused(401, "Unauthorized")
            if method.lower() not in self._methods:
                raise _Refused(404, "Not Found: method not found")
            return self._execute(method.lower(), _parse(body))
        except _Refused as refused:
            return refused.answer

    def execute_answer(self, _: Delivery, response: httpx.Response) -> None:
        """Execute the method that a webhook's answer names. Nobody learns of the result."""
        try:
            answer = response.json()
        except ValueError:
            return
        method = answer.get("method") if isinstance(answer, dict) else None
        if isinstance(method, str) and not method.lower().startswith("get"):
            name = method.lower()
            if name in self._methods and name not in _NOT_IN_ANSWERS:
                try:
                    self._methods[name](answer)
                except _Refused:
                    return

    def make_message_id(self) -> str:
        return str(next(self._ids))

    def open_callback(self, user_id: str) -> str:
        """Return the id of a new callback query of a user."""
        with self._lock:
            query_id = f"{len(self._callbacks) + 1:018d}"
            self._callbacks[query_id] = user_id, time.monotonic()
        return query_id

    def list_open_callbacks(self, user_id: str) -> list[str]:
        """Return the callback queries that were not answered: the user's app shows that it waits."""
        with self._lock:
            return [key for key, (owner, _) in self._callbacks.items() if owner == user_id]

    def _execute(self, method: str, parameters: dict[str, Any]) -> ApiAnswer:
        user_id = str(parameters.get("chat_id", ""))
        fault = self._faults.take(CALL_MODES, App.TELEGRAM, user_id) if user_id else None
        if fault is not None:
            _apply_fault(fault)
        result = self._methods[method](parameters)
        if fault is not None:
            raise ConnectionDropped
        return ApiAnswer(200, {"ok": True, "result": result})

    def _set_webhook(self, parameters: dict[str, Any]) -> bool:
        self.webhook = Webhook(
            url=str(parameters.get("url", "")),
            secret_token=str(parameters.get("secret_token", "")),
            allowed_updates=tuple(parameters.get("allowed_updates", ())),
        )
        return True

    def _describe_webhook(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"url": self.webhook.url, "has_custom_certificate": False, "pending_update_count": 0}

    def _send_message(self, parameters: dict[str, Any]) -> dict[str, Any]:
        user_id = self._find_chat(parameters)
        text, buttons = _check_text(parameters), _read_buttons(parameters)
        wait = self._limits.count(user_id)
        if wait is not None:
            seconds = math.ceil(wait)
            raise _Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        message = ChatMessage(App.TELEGRAM, user_id, self.make_message_id(), "bot", text, buttons)
        self._transcripts.put(message)
        return describe_message(message)

    def _edit_message_text(self, parameters: dict[str, Any]) -> dict[str, Any]:
        user_id = self._find_chat(parameters)
        message = self._transcripts.find(App.TELEGRAM, user_id, str(parameters.get("message_id", "")))
        if message is None or message.sender != "bot":
            raise _Refused(400, "Bad Request: message to edit not found")
        text, buttons = _check_text(parameters), _read_buttons(parameters)
        if (message.text, message.buttons) == (text, buttons):
            raise _Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are "
                "exactly the same as a current content and reply markup of the message",
            )
        return describe_message(self._transcripts.edit(message, text, buttons))

    def _answer_callback_query(self, parameters: dict[str, Any]) -> bool:
        with self._lock:
            _, opened_at = self._callbacks.pop(str(parameters.get("callback_query_id", "")), ("", -math.inf))
        if time.monotonic() - opened_at > _CALLBACK_SECONDS:
            raise _Refused(
                400, "Bad Request: query is too old and response timeout expired or query ID is invalid"
            )
        return True

    def _find_chat(self, parameters: dict[str, Any]) -> str:
        user_id = str(parameters.get("chat_id", ""))
        if not self._transcripts.list_chat(App.TELEGRAM, user_id):
            raise _Refused(400, "Bad Request: chat not found")
        if user_id in self.blocked:
            raise _Refused(403, "Forbidden: bot was blocked by the user")
        return user_id


def describe_message(message: ChatMessage) -> dict[str, Any]:
    """Return a message as the Bot API shows it."""
    chat = make_user(message.user_id)
    described = {
        "message_id": int(message.message_id),
        "from": BOT_USER if message.sender == "bot" else chat,
        "chat": {"id": chat["id"], "type": "private", "first_name": chat["first_name"]},
        "date": int(message.sent_at),
        "text": message.text,
    }
    keyboard = [
        [{"text": each.text, "callback_data" if each.kind is ButtonKind.CALLBACK else "url": each.data}]
        for each in message.buttons
        if each.kind in {ButtonKind.CALLBACK, ButtonKind.URL}
    ]
    return described | ({"reply_markup": {"inline_keyboard": keyboard}} if keyboard else {})


def make_user(user_id: str) -> dict[str, Any]:
    """Return a user as the Bot API shows one."""
    return {"id": int(user_id), "is_bot": False, "first_name": f"User {user_id}", "language_code": "id"}


def _apply_fault(fault: Fault) -> None:
    """Raise the fault's error, unless it drops the connection after the method was executed."""
    if fault.mode in TIMEOUT_MODES:
        time.sleep(fault.wait_seconds)
    match fault.mode:
        case FaultMode.TIMEOUT_BEFORE_ACCEPT:
            raise ConnectionDropped
        case FaultMode.THROTTLE:
            seconds = max(1, math.ceil(fault.wait_seconds))
            raise _Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        case FaultMode.SERVER_ERROR:
            raise _Refused(500, "Internal Server Error")
        case FaultMode.BLOCKED:
            raise _Refused(403, "Forbidden: bot was blocked by the user")
        case FaultMode.REJECT:
            raise _Refused(400, "Bad Request: chat not found")


def _parse(body: bytes) -> dict[str, Any]:
    try:
        parameters = json.loads(body or b"{}")
    except ValueError:
        raise _Refused(400, "Bad Request: can't parse JSON object") from None
    if not isinstance(parameters, dict):
        raise _Refused(400, "Bad Request: object expected")
    return parameters


def _check_text(parameters: dict[str, Any]) -> str:
    text = parameters.get("text")
    if not isinstance(text, str) or not text.strip():
        raise _Refused(400, "Bad Request: message text is empty")
    if len(text.encode("utf-16-le")) // 2 > _MAX_TEXT:
        raise _Refused(400, "Bad Request: message is too long")
    return text.strip()


def _read_buttons(parameters: dict[str, Any]) -> tuple[Button, ...]:
    markup = parameters.get("reply_markup") or {}
    inline = [button for row in markup.get("inline_keyboard", ()) for button in row]
    keys = [button for row in markup.get("keyboard", ()) for button in row]
    return (*map(_read_inline_button, inline), *map(_read_key, keys))


def _read_inline_button(button: dict[str, Any]) -> Button:
    text, data, url = button.get("text"), button.get("callback_data"), button.get("url")
    if not text or (data is None) == (url is None):
        raise _Refused(400, "Bad Request: inline keyboard button must have exactly one optional field")
    if data is not None and not 1 <= len(str(data).encode()) <= _MAX_CALLBACK_BYTES:
        raise _Refused(400, "Bad Request: BUTTON_DATA_INVALID")
    kind = ButtonKind.URL if data is None else ButtonKind.CALLBACK
    return Button(str(text), kind, str(url if data is None else data))


def _read_key(key: dict[str, Any] | str) -> Button:
    if isinstance(key, str):
        return Button(key, ButtonKind.TEXT)
    return Button(str(key["text"]), ButtonKind.CONTACT if key.get("request_contact") else ButtonKind.TEXT)
