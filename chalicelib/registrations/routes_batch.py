"""Batches of captures over HTTP. A snapshot has them; where there is none, they are imported on first use."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint, Response

from chalicelib import observability
from chalicelib.callers import Caller, Role
from chalicelib.http import problems
from chalicelib.http.endpoints import Request, count_failures, endpoint, json_response, parse_document
from chalicelib.refusals import TryAgain
from chalicelib.registrations import batch
from chalicelib.registrations.device_report import DeviceReport
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.schemas_batch import VerdictsView, VerdictView

if TYPE_CHECKING:
    from chalicelib.container import Container

# Outcomes of a batch's items that were refused, by the code of the problem. The default is `invalid`.
_ITEM_OUTCOMES = {
    "capture_reused": "conflict",
    "try_again": "try_again",
    "internal_error": "try_again",
    "record_unreadable": "try_again",
    "client_cap_reached": "capped",
    "kiosk_cap_reached": "capped",
    "phone_cap_reached": "capped",
    "worker_captures_reached": "capped",
}

# After this time a batch accepts no more items and asks for the rest to be sent again, well before API
# Gateway's limit of 29 seconds.
_BATCH_TIME_LIMIT = timedelta(seconds=18)


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/registrations/batch", methods=["POST"], content_types=[])
    @endpoint(routes, Role.KIOSK, body_model=batch.SubmitBatch, responses={200: VerdictsView})
    def submit_batch(request: Request) -> Response:
        """Register workers from up to 200 captures. Each gets its own answer, in order."""
        texts = request.parse_batch(batch.SubmitBatch, max_bytes=batch.MAX_BODY_BYTES)
        device_report = DeviceReport.from_headers(request.headers)
        now = container.kiosk_cap.reserve(request.caller, len(texts))
        verdicts = submit_items(
            container, request, texts[:now], caller=request.caller, device_report=device_report
        )
        capped = [_build_capped_item(container, request, text) for text in texts[now:]]
        return json_response(VerdictsView(results=[*verdicts, *capped]), exclude_defaults=True)

    return routes


def submit_items(
    container: "Container",
    request: Request,
    texts: Sequence[bytes],
    *,
    caller: Caller,
    device_report: DeviceReport,
) -> list[VerdictView]:
    """Return the verdict on each capture of a batch, in order; `caller` is the client that made them."""
    # Built before the threads start: each of them would build another one.
    intake = container.intake
    deadline = container.clock() + _BATCH_TIME_LIMIT

    def submit_item(item: SubmitRegistration | VerdictView) -> tuple[VerdictView, str]:
        if isinstance(item, VerdictView):
            return item, item.outcome
        try:
            if container.clock() > deadline:
                raise TryAgain("the batch took too long")
            result = intake.submit(
                item, caller=caller, correlation_id=request.correlation_id, device_report=device_report
            )
        except Exception as error:  # noqa: BLE001 - a failure of one item must not fail the others
            verdict = _build_failed_item(str(item.capture_id), error, request)
            return verdict, verdict.outcome
        return VerdictView.from_answer(result.answer), result.outcome_label

    items = [_parse_item(text, request) for text in texts]
    results = batch.process_items(items, submit_item)
    for outcome, number in sorted(Counter(outcome for _, outcome in results).items()):
        observability.count("Registrations", number, outcome=outcome)
    verdicts = [verdict for verdict, _ in results]
    count_failures(each.problem["code"] for each in verdicts if each.problem)
    return verdicts


def _parse_item(text: bytes, request: Request) -> SubmitRegistration | VerdictView:
    """Return an item of a batch as it is parsed when it is sent alone, or the verdict that refuses it."""
    try:
        return parse_document(text, SubmitRegistration)
    except Exception as error:  # noqa: BLE001 - a failure of one item must not fail the others
        return _build_failed_item(batch.read_capture_id(text), error, request)


def _build_capped_item(container: "Container", request: Request, text: bytes) -> VerdictView:
    refusal = container.kiosk_cap.build_refusal(request.caller)
    return _build_failed_item(batch.read_capture_id(text), refusal, request)


def _build_failed_item(capture_id: str | None, error: Exception, request: Request) -> VerdictView:
    response = problems.respond_to_error(error, request.language)
    if response is None:
        observability.log_exception(error, "item of a batch failed", {"route": request.route})
        response = problems.respond_to_fault(error, request.language)
    problem: dict[str, Any] = response.body
    return VerdictView(
        capture_id=capture_id,
        outcome=_ITEM_OUTCOMES.get(problem["code"], "invalid"),
        problem=problem,
    )
