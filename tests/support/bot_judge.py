"""Judge updates, webhooks and calls with aiogram and pywa: `.bots/bin/python bot_judge.py < lines`.

Each line is one JSON object with `kind`; each line of the answer is what the library read, or its error.
"""

import json
import sys
from typing import Any

from aiogram import methods
from aiogram.types import Update
from pywa import WhatsApp, types
from pywa.utils import webhook_updates_validator


def read_update(update: dict[str, Any]) -> dict[str, Any]:
    """Return what aiogram reads of a Telegram update. Raise ValueError for one that it does not know."""
    read = Update.model_validate(update)
    event = read.event
    user = event.from_user
    return {
        "type": read.event_type,
        "user": user.id if user else None,
        "text": getattr(event, "text", None),
        "data": getattr(event, "data", None),
        "contact": event.contact.user_id if getattr(event, "contact", None) else None,
    }


def read_call(call: dict[str, Any]) -> dict[str, Any]:
    """Return the method that aiogram makes of a Bot API call, strictly: no field that it does not know."""
    model = getattr(methods, call["method"][0].upper() + call["method"][1:])
    made = model.model_validate(call["parameters"])
    unknown = set(call["parameters"]) - set(model.model_fields)
    if unknown:
        raise ValueError(f"unknown fields: {sorted(unknown)}")
    return {"method": made.__api_method__}


def read_webhook(given: dict[str, Any]) -> dict[str, Any]:
    """Return what pywa reads of a WhatsApp webhook, after its check of the signature."""
    body = given["body"].encode()
    if not webhook_updates_validator(given["app_secret"], body, given["signature"]):
        raise ValueError("the signature is wrong")
    update = json.loads(body)
    client = WhatsApp(phone_id="1", token="x", server=None)
    value = update["entry"][0]["changes"][0]["value"]
    if "statuses" in value:
        status = types.MessageStatus.from_update(client, update)
        error = status.error
        return {
            "status": status.status.value,
            "tracker": status.tracker,
            "category": status.pricing.category.value if status.pricing else None,
            "error": error.code if error else None,
            "user": status.from_user.bsuid,
        }
    kind = value["messages"][0].get("interactive", {}).get("type")
    if kind is None:
        message = types.Message.from_update(client, update)
        return {"type": message.type.value, "text": message.text, "user": message.from_user.bsuid}
    model = {"button_reply": types.CallbackButton, "list_reply": types.CallbackSelection}[kind]
    chosen = model.from_update(client, update)
    return {"type": kind, "data": chosen.data, "title": chosen.title, "user": chosen.from_user.bsuid}


READERS = {"update": read_update, "call": read_call, "webhook": read_webhook}

if __name__ == "__main__":
    for line in sys.stdin:
        given = json.loads(line)
        try:
            answer = READERS[given["kind"]](given["value"])
        except Exception as error:  # noqa: BLE001 - whatever a library raises is its verdict
            answer = {"error_of_library": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)  # noqa: T201
