"""List the acts of clients since a moment: a restore takes them away, and their clients do them again."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from chalicelib.clock import to_timestamp
from chalicelib.registrations.transitions import EventType
from ops.deploy.stages import Stage
from ops.sealed_items import iter_pages

_SUBJECT_PREFIX = "registration:"

# What a schedule did happens again by itself, and a capture is listed with its device.
_ACTS = {
    *(EventType.PAYMENT_CODE_ISSUED, EventType.PAID, EventType.MATCHED, EventType.MISMATCHED),
    *(EventType.CANCELLED, EventType.TAKEN_OVER, EventType.DECEASED, EventType.RECHECK_REQUESTED),
    *(EventType.CORRECTED, EventType.CORRECTION_REQUESTED, EventType.CORRECTION_DECLINED),
}


@dataclass(frozen=True, order=True)
class LostAct:
    """An act of a client on a registration. The trail has no values: only its client knows them."""

    client_id: str
    at: str
    action: str
    reference: str


def list_lost_acts(stage: Stage, moment: datetime, on_page: Callable[[], object]) -> list[LostAct]:
    """Return the acts since a moment, by the client and by time, from the audit trail."""
    since = to_timestamp(moment)
    return sorted(act for act in _iter_acts(stage, on_page) if act.at >= since)


def describe_acts(acts: Sequence[LostAct]) -> list[str]:
    """Return a line for each client: how many acts of which kind it has to do again."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for act in acts:
        counts[act.client_id][act.action] += 1
    texts = {
        client_id: ", ".join(f"{number} {action}" for action, number in sorted(kinds.items()))
        for client_id, kinds in sorted(counts.items())
    }
    return [f"{client_id} does again: {text}" for client_id, text in texts.items()]


def to_json(acts: Sequence[LostAct]) -> list[dict[str, Any]]:
    return [asdict(act) for act in acts]


def _iter_acts(stage: Stage, on_page: Callable[[], object]) -> Iterator[LostAct]:
    for page in iter_pages(stage.aws_client("dynamodb"), stage.outputs["AuditTableName"]):
        on_page()
        for values in page:
            if values["action"] in _ACTS and values["subject"].startswith(_SUBJECT_PREFIX):
                yield LostAct(
                    client_id=values["client_id"],
                    at=values["record_key"].partition("#")[0],
                    action=values["action"],
                    reference=values["subject"].removeprefix(_SUBJECT_PREFIX),
                )
