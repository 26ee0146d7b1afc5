"""A registration with corrected fields: judged as intake judges them, and priced again while unpaid. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from pydantic import ValidationError

from chalicelib.campaigns.model import Campaign
from chalicelib.contributions.service import QuoteService
from chalicelib.corrections.fields import TypedFields, build_command, list_values
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations import rules
from chalicelib.registrations.cleaned_capture import CleanedCapture
from chalicelib.registrations.corrections import FieldValue
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import CorrectionImpact, Registration
from chalicelib.registrations.repeats import hash_identity, hash_retained_identity
from chalicelib.registrations.rules import AgeLimits
from chalicelib.registrations.worker import Worker

IDENTITY_PATHS = frozenset({"worker.nik", "worker.name", "worker.birth_date"})
"""What the civil registry checks."""

PHONE_PATH, NIK_PATH, SPONSOR_PATH = "worker.phone", "worker.nik", "coverage.sponsor_id"


@dataclass(frozen=True)
class MergedCorrection:
    """A registration with corrected fields, before its lifecycle changes.

    `before` and `now` have the values of the fields that differ; there are none if all was recorded so.
    """

    registration: Registration
    before: Mapping[str, FieldValue]
    now: Mapping[str, FieldValue]
    impact: CorrectionImpact

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(self.now)

    @property
    def moves_worker(self) -> bool:
        """Return True if the NIK is another one."""
        return NIK_PATH in self.now


class CorrectionMerger:
    """Merges typed fields into registrations."""

    def __init__(
        self,
        *,
        quote_service: QuoteService,
        hashing: KeyedHash,
        age_limits: AgeLimits,
        list_shape_errors: Callable[[ValidationError], Iterable[BrokenRule]],
    ) -> None:
        self._quote_service = quote_service
        self._hashing = hashing
        self._age_limits = age_limits
        self._list_shape_errors = list_shape_errors

    def merge(self, registration: Registration, typed: TypedFields, campaign: Campaign) -> MergedCorrection:
        """Return a registration with the given fields. Raise RulesBroken, with fields as they were sent.

        Only what the correction breaks is refused: what was accepted once stays accepted.
        """
        recorded = list_values(registration)
        deleted = [BrokenRule(path, "field_deleted") for path in typed.values if path not in recorded]
        if deleted:
            raise RulesBroken(*map(typed.rename, deleted))
        command = self._build_command(registration, typed, recorded)
        before = build_command(registration, recorded)
        worker = self._judge(registration, command, before, typed, campaign)
        changed = self._replace(registration, command, worker)
        if not registration.lifecycle.payments:
            changed = self._price(changed, command, before)
        return _compare(registration, changed, recorded)

    def _build_command(
        self, registration: Registration, typed: TypedFields, recorded: Mapping[str, FieldValue]
    ) -> SubmitRegistration:
        values = {**recorded, **typed.values}
        if values["coverage.payer"] != "sponsor" and SPONSOR_PATH not in typed.values:
            values[SPONSOR_PATH] = None
        try:
            command = build_command(registration, values)
        except ValidationError as error:
            raise RulesBroken(*map(typed.rename, self._list_shape_errors(error))) from None
        return CleanedCapture.from_command(command).command

    def _judge(
        self,
        registration: Registration,
        command: SubmitRegistration,
        before: SubmitRegistration,
        typed: TypedFields,
        campaign: Campaign,
    ) -> Worker:
        now = registration.capture_metadata.received_at
        worker, broken = rules.judge_capture(
            CleanedCapture.from_command(command), campaign, now=now, age_limits=self._age_limits
        )
        _, broken_before = rules.judge_capture(
            CleanedCapture.from_command(before), campaign, now=now, age_limits=self._age_limits
        )
        new = [each for each in broken if typed.is_given(each) or each not in broken_before]
        if new or worker is None:
            raise RulesBroken(*map(typed.rename, new or broken))
        return worker

    def _replace(
        self, registration: Registration, command: SubmitRegistration, worker: Worker
    ) -> Registration:
        """Return the registration with the values of a capture; deleted ones stay deleted."""
        recorded = registration.worker
        if not isinstance(recorded, Worker):
            kept = replace(
                recorded,
                name=worker.name,
                phone=worker.phone,
                postal_code=worker.postal_code,
                language=worker.language,
            )
            work = command.work.delete_income()
            identity = hash_retained_identity(
                kept,
                registration.identity,
                worker_key=registration.worker_key,
                hashing=self._hashing,
            )
            return replace(registration, worker=kept, work=work, coverage=command.coverage, identity=identity)
        worker_key = self._hashing.digest("nik", worker.nik)
        return replace(
            registration,
            worker_key=worker_key,
            worker=worker,
            identity=hash_identity(worker, worker_key=worker_key, hashing=self._hashing),
            work=command.work,
            coverage=command.coverage,
        )

    def _price(
        self, changed: Registration, command: SubmitRegistration, before: SubmitRegistration
    ) -> Registration:
        """Return a registration with the price of other choices, from its own first month."""
        day = changed.capture_metadata.day
        request = rules.build_quote_request(command, day)
        if request == rules.build_quote_request(before, day):
            return changed
        try:
            return replace(changed, quote=self._quote_service.quote(request))
        except RulesBroken as refusal:
            codes = dict.fromkeys(rule.code for rule in refusal.broken_rules)
            raise RulesBroken(*(BrokenRule("fields.months", code) for code in codes)) from None


def _compare(
    registration: Registration, changed: Registration, recorded: Mapping[str, FieldValue]
) -> MergedCorrection:
    values = list_values(changed)
    differing = [path for path, value in values.items() if value != recorded[path]]
    return MergedCorrection(
        registration=changed if differing else registration,
        before={path: recorded[path] for path in differing},
        now={path: values[path] for path in differing},
        impact=CorrectionImpact(
            changes_identity=not IDENTITY_PATHS.isdisjoint(differing),
            changes_price=changed.quote.total != registration.quote.total,
        ),
    )
