"""Make a stage whose tables were taken back consistent again, with the operator's own rights."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from botocore.config import Config

from chalicelib.aws.clients import AwsClients
from chalicelib.clock import utc_now
from chalicelib.container import Container
from chalicelib.data_requests.model import LoggedErasure
from chalicelib.data_requests.store import is_erasure_request, parse_logged_erasure
from chalicelib.notifications.model import SETTLED_STATES, Sms, SmsState
from chalicelib.notifications.rules import may_resend
from chalicelib.notifications.store_items import parse_item
from chalicelib.refusals import RecordUnreadable, TryAgain
from chalicelib.registrations.references import Reference
from chalicelib.settings import Settings
from infra.functions import ALIAS
from ops.campaign_days import iter_campaign_days
from ops.commands.sms import make_ledger
from ops.deploy.stages import AwsClientFactory, Stage
from ops.sealed_items import iter_pages

# Days of earlier campaigns are final, and were counted long before.
_RECOUNTED_DAYS = 31
HELD_REASON = "restored"


class _OperatorClients(AwsClients):
    """The product's AWS clients, with the operator's credentials and the SDK's own patience."""

    def __init__(self, aws_client: AwsClientFactory) -> None:
        super().__init__()
        self._aws_client = aws_client

    def _create(self, service: str, config: Config) -> Any:
        return self._aws_client(service)


def open_container(stage: Stage) -> Container:
    """Return the product's services on a stage, with the settings of its API's function."""
    function = stage.outputs["APIHandlerName"]
    found = stage.aws_client("lambda").get_function_configuration(FunctionName=function, Qualifier=ALIAS)
    settings = Settings(found["Environment"]["Variables"])
    return Container(settings=settings, aws=_OperatorClients(stage.aws_client))


def erase_again(stage: Stage, container: Container, on_step: Callable[[], object]) -> tuple[int, set[str]]:
    """Do every logged erasure again. Return their number, and the registrations that were erased by it."""
    erased: set[str] = set()
    erasures = list(_iter_logged_erasures(stage, on_step))

    def erase_attached(reference: str) -> None:
        erased.add(reference)
        container.data_requests.erase_attached(reference)

    for each in erasures:
        _erase(container, each, erase_attached, on_step)
    return len(erasures), erased


def _erase(
    container: Container,
    erasure: LoggedErasure,
    erase_attached: Callable[[Reference], object],
    on_step: Callable[[], object],
) -> None:
    while True:
        on_step()
        try:
            container.erasure.erase(
                erasure.worker_key, received_before=erasure.received_before, erase_attached=erase_attached
            )
        except TryAgain:
            continue  # Its time was over; the same call goes on.
        return


def _iter_logged_erasures(stage: Stage, on_page: Callable[[], object]) -> Iterator[LoggedErasure]:
    """Yield the erasures that are logged, which are those of the last 40 days."""
    for page in iter_pages(stage.aws_client("dynamodb"), stage.outputs["RequestsTableName"]):
        on_page()
        yield from filter(None, map(parse_logged_erasure, page))


def list_unlogged_erasures(stage: Stage, moment: datetime, on_page: Callable[[], object]) -> list[str]:
    """Return the requests for erasure since a moment that an earlier release did not log.

    Nobody but their sender knows whom they were about: each has to be sent again.
    """
    asked, logged = set(), set()
    for page in iter_pages(stage.aws_client("dynamodb"), stage.outputs["RequestsTableName"]):
        on_page()
        for values in page:
            if is_erasure_request(values) and datetime.fromisoformat(values["asked_at"]) >= moment:
                asked.add(values["request_id"])
            if (found := parse_logged_erasure(values)) is not None:
                logged.add(found.request_id)
    return sorted(asked - logged)


def mark_days(stage: Stage, container: Container, moment: datetime, on_day: Callable[[], object]) -> int:
    """Have the days of present and recent campaigns counted again. Return their number."""
    now = utc_now()
    span = (now - moment).days + _RECOUNTED_DAYS
    days = [(now - timedelta(days=age)).date() for age in range(-1, span)]
    count = 0
    for day in iter_campaign_days(stage, days):
        on_day()
        container.counting_state.mark_dirty(day, occurred_at=now)
        count += 1
    return count


def hold_unsettled_sms(stage: Stage, on_page: Callable[[], object]) -> int:
    """Hold every SMS that may have been sent since the moment, until a person releases it. Return the number.

    Only if the ledger itself was taken back, or belongs to a stage that may still send: otherwise it knows.
    """
    ledger, held = make_ledger(stage), 0
    for page in iter_pages(stage.aws_client("dynamodb"), stage.outputs["SmsLedgerTableName"]):
        on_page()
        for values in page:
            if "reference" not in values:
                continue  # Of an erased SMS, only what is counted is left.
            try:
                sms = parse_item(values)
            except RecordUnreadable:
                continue
            if _may_be_sent(sms):
                changed = _hold(sms)
                is_stored = ledger.update(changed, previous=sms)
                held += is_stored and changed.state is SmsState.HELD
    return held


def _may_be_sent(sms: Sms) -> bool:
    """Return True if an SMS would go out by itself: also one whose chat is still to report its delivery."""
    if sms.state in SETTLED_STATES:
        return sms.due_at is not None and sms.is_with_chats_alone
    return sms.state is not SmsState.HELD and (sms.state is not SmsState.UNKNOWN or sms.due_at is not None)


def _hold(sms: Sms) -> Sms:
    """Return the SMS held, or unknown if a copy of it may be out and a second one would do harm."""
    match sms.state:
        case SmsState.ACCEPTED | SmsState.SENT:
            waiting = sms.fall_back_to_phone(utc_now())
        case SmsState.CLAIMED:
            waiting = sms.defer(sms.deadline, HELD_REASON)
        case SmsState.ATTEMPT_STARTED:
            waiting = sms.record_unknown_outcome(HELD_REASON, None, may_resend=may_resend(sms))
            if not _may_be_sent(waiting):
                return waiting
        case _:
            waiting = sms
    return waiting.hold(HELD_REASON)
