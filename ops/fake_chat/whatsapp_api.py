"""WhatsApp's Cloud API: sending of messages, and webhooks about what became of them."""

import hashlib
import itertools
import json
import math
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from pydantic import ValidationError

from ops.fake_chat.accounts import (
    ACCESS_TOKEN,
    BUSINESS_ACCOUNT_ID,
    DISPLAY_PHONE_NUMBER,
    PHONE_NUMBER_ID,
    sign_webhook,
)
from ops.fake_chat.deliveries import Delivery, WebhookSender
from ops.fake_chat.faults import (
    CALL_MODES,
    STATUS_MODES,
    TIMEOUT_MODES,
    ConnectionDropped,
    Fault,
    FaultInjector,
    FaultMode,
    InvalidRequest,
    describe_errors,
)
from ops.fake_chat.rate_limits import Limit, RateLimits
from ops.fake_chat.transcripts import App, ChatMessage, TranscriptStore
from ops.fake_chat.whatsapp_messages import (
    MESSAGE_ADAPTER,
    TITLE_BY_CODE,
    ApprovedTemplate,
    CloudApiError,
    SentMessage,
    TemplateMessage,
    show_message,
)

_WINDOW_SECONDS = 24 * 3600
# 80 messages a second for a number; one every six seconds to a person, of which some may come at once.
_OVERALL, _PER_CHAT = Limit(80, 80), Limit(1 / 6, 45)


@dataclass(frozen=True)
class ApiAnswer:
    """The answer of the Cloud API."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class WhatsAppUser:
    """A user: always an id of the business's own, and the phone unless the user withholds it."""

    user_id: str

    @property
    def phone(self) -> str | None:
        return self.user_id if self.user_id.isdecimal() else None

    @property
    def business_scoped_id(self) -> str:
        if self.phone is None:
            return self.user_id
        return f"ID.{int(hashlib.sha256(self.user_id.encode()).hexdigest()[:12], 16)}"

    def describe_contact(self) -> dict[str, Any]:
        """Return the user as `contacts[]` of a webhook shows one."""
        phone = {} if self.phone is None else {"wa_id": self.phone}
        return {"profile": {"name": f"User {self.user_id[-4:]}"}, "user_id": self.business_scoped_id, **phone}


class CloudApi:
    """Accepts messages, and reports what became of each by signed webhooks."""

    def __init__(self, transcripts: TranscriptStore, faults: FaultInjector, webhooks: WebhookSender) -> None:
        self.webhook_url = ""
        self.templates: dict[tuple[str, str], str] = {}
        self.blocked: set[str] = set()
        self._transcripts = transcripts
        self._faults = faults
        self._webhooks = webhooks
        self._limits = RateLimits(overall=_OVERALL, per_chat=_PER_CHAT)
        self._ids = itertools.count()

    def subscribe(self, body: bytes) -> None:
        """Verify a webhook and send updates to it from now on. Raise InvalidRequest if it is refused."""
        try:
            settings = json.loads(body)
            url, token = str(settings["url"]), str(settings["verify_token"])
        except (ValueError, KeyError, TypeError):
            raise InvalidRequest("an object with url and verify_token") from None
        challenge = uuid4().hex
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
        try:
            answer = httpx.get(url, params=query, timeout=30, trust_env=False)
        except httpx.HTTPError:
            raise InvalidRequest("the webhook does not answer") from None
        if not answer.is_success or answer.text != challenge:
            raise InvalidRequest(f"the webhook could not be verified: status {answer.status_code}")
        self.webhook_url = url

    def approve_template(self, body: bytes) -> None:
        """Add a template, or replace its text. Raise InvalidRequest."""
        try:
            template = ApprovedTemplate.model_validate_json(body)
        except ValidationError as error:
            raise InvalidRequest(describe_errors(error)) from None
        self.templates[template.name, template.language] = template.text

    def handle(self, phone_number_id: str, authorization: str, body: bytes) -> ApiAnswer:
        """Accept a message, or answer with an error of Meta. Raise ConnectionDropped."""
        try:
            if authorization != f"Bearer {ACCESS_TOKEN}":
                raise CloudApiError(190, status=401)
            if phone_number_id != PHONE_NUMBER_ID:
                raise CloudApiError(100, details="unknown phone number id")
            return self._accept(body)
        except CloudApiError as refused:
            return ApiAnswer(refused.status, refused.body)

    def find_user(self, to: str) -> WhatsAppUser | None:
        """Return the user with a phone or a business-scoped id, if the user wrote before."""
        for app, user_id in self._transcripts.list_users():
            user = WhatsAppUser(user_id)
            if app is App.WHATSAPP and to.removeprefix("+") in {user.phone, user.business_scoped_id}:
                return user
        return None

    def make_message_id(self) -> str:
        return f"wamid.{uuid4().hex}"

    def send_webhook(self, user: WhatsAppUser, content: dict[str, Any]) -> dict[str, Any]:
        """Send an update about a user to the webhook, signed. Return it."""
        metadata = {"display_phone_number": DISPLAY_PHONE_NUMBER, "phone_number_id": PHONE_NUMBER_ID}
        value = {
            "messaging_product": "whatsapp",
            "metadata": metadata,
            "contacts": [user.describe_contact()],
            **content,
        }
        entry = {"id": BUSINESS_ACCOUNT_ID, "changes": [{"value": value, "field": "messages"}]}
        update = {"object": "whatsapp_business_account", "entry": [entry]}
        body = json.dumps(update).encode()
        if self.webhook_url:
            headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign_webhook(body)}
            lane = f"whatsapp {user.user_id}"
            self._webhooks.send(Delivery(App.WHATSAPP, user.user_id, lane, self.webhook_url, body, headers))
        return update

    def _accept(self, body: bytes) -> ApiAnswer:
        try:
            message = MESSAGE_ADAPTER.validate_json(body)
        except ValidationError as error:
            raise CloudApiError(100, details=describe_errors(error)) from None
        to = message.to or message.recipient or ""
        fault = self._faults.take(CALL_MODES, App.WHATSAPP, to)
        if fault is not None:
            _apply_fault(fault)
        text, buttons = show_message(message, self.templates)
        if self._limits.count(to) is not None:
            raise CloudApiError(131056)
        user = self.find_user(to) or WhatsAppUser(to.removeprefix("+"))
        sent = ChatMessage(
            App.WHATSAPP, user.user_id, self.make_message_id(), "bot", text, buttons,
            tracker=message.biz_opaque_callback_data,
        )  # fmt: skip
        self._report(user, sent, message, was_in_window=self._is_in_window(user))
        if fault is not None:
            raise ConnectionDropped
        contact = {"input": to, **({"wa_id": user.phone} if message.to else {"user_id": to})}
        return ApiAnswer(
            200,
            {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": sent.message_id}]},
        )

    def _is_in_window(self, user: WhatsAppUser) -> bool:
        since = time.time() - _WINDOW_SECONDS
        chat = self._transcripts.list_chat(App.WHATSAPP, user.user_id)
        return any(each.sender == "user" and each.sent_at > since for each in chat)

    def _report(
        self, user: WhatsAppUser, sent: ChatMessage, message: SentMessage, *, was_in_window: bool
    ) -> None:
        is_template = isinstance(message, TemplateMessage)
        fault = self._faults.take(STATUS_MODES, App.WHATSAPP, user.user_id)
        is_lost = user.user_id in self.blocked or (fault and fault.mode is FaultMode.UNDELIVERABLE)
        error = 131026 if is_lost else None if is_template or was_in_window else 131047
        if error is None:
            self._transcripts.put(sent)
        if fault is not None and fault.mode is FaultMode.NO_STATUS:
            return
        category = "utility" if is_template else "service"
        for state in ("failed",) if error else ("sent", "delivered"):
            status: dict[str, Any] = {
                "id": sent.message_id,
                "status": state,
                "timestamp": str(int(time.time())),
                "recipient_user_id": user.business_scoped_id,
                **({} if user.phone is None else {"recipient_id": user.phone}),
            }
            if sent.tracker:
                status["biz_opaque_callback_data"] = sent.tracker
            if error:
                title = TITLE_BY_CODE[error]
                status["errors"] = [{"code": error, "title": title, "message": title}]
            else:
                status["pricing"] = {
                    "billable": True, "pricing_model": "PMP", "type": "regular", "category": category,
                }  # fmt: skip
            self.send_webhook(user, {"statuses": [status]})


def _apply_fault(fault: Fault) -> None:
    """Raise the fault's error, unless it drops the connection after the message was accepted."""
    if fault.mode in TIMEOUT_MODES:
        time.sleep(fault.wait_seconds)
    match fault.mode:
        case FaultMode.TIMEOUT_BEFORE_ACCEPT:
            raise ConnectionDropped
        case FaultMode.THROTTLE:
            raise CloudApiError(130429, details=f"retry after {math.ceil(fault.wait_seconds)}")
        case FaultMode.SERVER_ERROR:
            raise CloudApiError(131000, status=500)
        case FaultMode.BLOCKED:
            raise CloudApiError(131031, status=403)
        case FaultMode.REJECT:
            raise CloudApiError(100)
