"""Edits of accepted forms: each is a correction of the registration that the form made."""

from chalicelib.callers import Caller
from chalicelib.channels.odk.errors import EditOfAccepted
from chalicelib.channels.odk.model import OdkSubmission
from chalicelib.corrections.errors import CorrectionNotAllowed, CorrectionReused, CorrectionsFull
from chalicelib.corrections.fields import GROUPS
from chalicelib.corrections.schemas import CorrectionFields, SubmitCorrection
from chalicelib.corrections.service import CorrectionService
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations.captures import Capture, Outcome
from chalicelib.registrations.errors import CaptureReused, RegistrationUnknown, TransitionNotAllowed
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.submission import SubmissionResult

# An officer who edits a form in ODK Collect is asked for no reason.
_REASON = "Formulir diperbaiki di ODK Collect"
_PREFIX = "fields."


def correct_by_edit(
    corrections: CorrectionService,
    submission: OdkSubmission,
    edited: SubmitRegistration,
    accepted: Capture,
    *,
    caller: Caller,
) -> SubmissionResult:
    """Correct a registration to the answers of an edited form. Return the first answer to the form.

    The edit's own id is that of the correction. Raise EditOfAccepted if this device may not correct it,
    CaptureReused, or as corrections do.
    """
    answer = accepted.answer
    if answer is None or answer.outcome is Outcome.ALREADY_REGISTERED:
        raise EditOfAccepted("the form made no registration")
    fields = edited.model_dump(mode="json", include=set(GROUPS))
    command = SubmitCorrection(
        correction_id=submission.instance_id, fields=CorrectionFields(**fields), reason=_REASON
    )
    try:
        result = corrections.correct(answer.reference, command, caller=caller)
    except CorrectionReused:
        raise CaptureReused(str(submission.instance_id)) from None
    except (CorrectionNotAllowed, CorrectionsFull, RegistrationUnknown, TransitionNotAllowed) as refusal:
        raise EditOfAccepted(refusal.code) from None
    except RulesBroken as refusal:
        raise RulesBroken(*map(_name_as_in_form, refusal.broken_rules)) from None
    return SubmissionResult(answer, is_replay=result.is_replay)


def _name_as_in_form(rule: BrokenRule) -> BrokenRule:
    return BrokenRule(rule.field.removeprefix(_PREFIX), rule.code, digits=rule.digits)
