"""SMS that may go out by themselves are held once another stage, or an earlier one, may have sent them."""

from dataclasses import replace
from typing import Any

import boto3
import pytest

from chalicelib.notifications.model import Sms, SmsSend, SmsState
from chalicelib.notifications.templates import SmsKind
from chalicelib.sms_purposes import Purpose
from ops.commands.sms import make_ledger
from ops.deploy.stages import Stage
from ops.restore.reconciling import hold_unsettled_sms
from tests.support.builders import NOW
from tests.support.registration_builders import make_sms

_PRICE = 350


def settle(state: SmsState, gateway: str, **changes: Any) -> Sms:
    """Return an SMS that a gateway or a chat has accepted."""
    send = SmsSend(gateway, state, 1, _PRICE)
    sms = make_sms(state=state, attempts=1, gateway=gateway, sends={"id-1": send}, touched_at=NOW)
    return replace(sms, **changes)


CLAIMED = make_sms().claim(NOW, budget_day=make_sms().day, phone_day=make_sms().day)
STARTED = CLAIMED.start_attempt(NOW)
UNKNOWN = STARTED.record_unknown_outcome("timeout", "aws", may_resend=True)

# The chat's report came when the phone had it already; an earlier release looked at it again.
IN_BOTH = {
    "id-1": SmsSend("aws", SmsState.ACCEPTED, 1, _PRICE),
    "id-2": SmsSend("whatsapp", SmsState.SENT, 1, _PRICE),
}
ONCE_ONLY = {"purpose": Purpose.LAPSING_SOON, "kind": SmsKind.REMINDER}

UNSETTLED = {
    "pending": make_sms(),
    "claimed": CLAIMED,
    "being sent": STARTED,
    "of an unknown outcome": UNKNOWN,
    "accepted by a chat that is still to report": settle(SmsState.ACCEPTED, "whatsapp"),
}
LEFT = {
    "accepted": settle(SmsState.ACCEPTED, "aws", due_at=None),
    "delivered": settle(SmsState.DELIVERED, "aws", due_at=None),
    "failed": settle(SmsState.FAILED, "aws", due_at=None),
    "read in a chat": settle(SmsState.DELIVERED, "whatsapp", due_at=None),
    "held": make_sms().hold("budget_exhausted"),
    "accepted by a chat and for the phone": settle(SmsState.SENT, "whatsapp", sends=IN_BOTH),
    "unknown, with nothing more to be sent": replace(UNKNOWN, due_at=None),
}


@pytest.fixture
def stage(moto_stage: None) -> Stage:
    outputs = {f"{name}Name": name for name in ("SmsLedgerTable", "SendingTable")}
    make_client: Any = boto3.client
    return Stage("daftar-test", outputs, make_client)


def hold(stage: Stage, sms: Sms) -> tuple[int, Sms | None]:
    ledger = make_ledger(stage)
    ledger.get_or_create(sms)
    return hold_unsettled_sms(stage, lambda: None), ledger.get(sms.sms_id)


@pytest.mark.parametrize("sms", UNSETTLED.values(), ids=UNSETTLED)
def test_what_may_still_go_out_by_itself_waits_for_a_person(sms: Sms, stage: Stage) -> None:
    number, held = hold(stage, sms)

    assert held is not None
    assert (number, held.state, held.due_at, held.reason) == (1, SmsState.HELD, None, "restored")
    assert hold_unsettled_sms(stage, lambda: None) == 0


@pytest.mark.parametrize("changes", [ONCE_ONLY, {"is_resent": True}], ids=["harmful", "second"])
def test_an_attempt_that_nobody_would_repeat_is_not_held_for_release(
    changes: dict[str, Any], stage: Stage
) -> None:
    number, sms = hold(stage, replace(STARTED, **changes))

    assert sms is not None
    assert (number, sms.state, sms.due_at) == (0, SmsState.UNKNOWN, None)
    assert hold_unsettled_sms(stage, lambda: None) == 0


@pytest.mark.parametrize("sms", LEFT.values(), ids=LEFT)
def test_what_is_settled_or_held_stays_as_it_is(sms: Sms, stage: Stage) -> None:
    assert hold(stage, sms) == (0, sms)
