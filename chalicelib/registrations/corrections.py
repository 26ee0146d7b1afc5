"""Corrections of a registration: who asked for which fields, why, and the values before. Pure.

The values before are kept, sealed, for the worker's own request for their data. No other view shows them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.values import Value

MAX_CORRECTIONS = 10
"""The corrections of one registration, declined ones included. They are stored in its item."""

PHONE_FIELD = "worker.phone"

_IDENTITY_FIELDS = frozenset(
    {"worker.nik", "worker.birth_date", "worker.email", "worker.address", "work.monthly_income"}
)

FieldValue = str | int | bool | Sequence[str] | None
"""The value of a field as JSON has it."""


class CorrectionState(StrEnum):
    """The state of a correction. A request is withdrawn if the worker died, or if its values were deleted."""

    APPLIED = "applied"
    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Correction(Value):
    """One correction. `fields` are dotted paths, such as `worker.phone`.

    `before` has the values that it replaced, `wanted` those that it asks for while it is open. `fingerprint`
    is a keyed hash of its content: the same id with the same content is the same correction.
    """

    correction_id: str
    fingerprint: str
    state: CorrectionState
    fields: tuple[str, ...]
    reason: str
    client_id: str
    occurred_at: datetime
    before: Mapping[str, FieldValue] = field(default_factory=dict)
    wanted: Mapping[str, FieldValue] = field(default_factory=dict)
    decided_by: str | None = None
    decided_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Return True while it waits for the core system's decision."""
        return self.state is CorrectionState.REQUESTED

    @property
    def is_applied(self) -> bool:
        return self.state in {CorrectionState.APPLIED, CorrectionState.CONFIRMED}

    def decide(
        self,
        state: CorrectionState,
        before: Mapping[str, FieldValue],
        *,
        decided_by: str,
        decided_at: datetime,
    ) -> "Correction":
        """Return the correction after a decision. What was wanted is recorded by then, or unwanted."""
        return replace(
            self, state=state, before=before, wanted={}, decided_by=decided_by, decided_at=decided_at
        )


def withdraw_open(corrections: Sequence[Correction]) -> tuple[Correction, ...]:
    """Return corrections without an open one."""
    return tuple(
        replace(each, state=CorrectionState.WITHDRAWN, wanted={}) if each.is_open else each
        for each in corrections
    )


def delete_identity(corrections: Sequence[Correction]) -> tuple[Correction, ...]:
    """Return corrections without values of the identity; an open one that asks for such is withdrawn."""
    return tuple(
        replace(
            withdraw_open([each])[0] if _IDENTITY_FIELDS & each.wanted.keys() else each,
            before={name: value for name, value in each.before.items() if name not in _IDENTITY_FIELDS},
        )
        for each in corrections
    )
