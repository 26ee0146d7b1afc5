"""AWS JSON 1.0 as the service `pinpoint-sms-voice-v2` speaks it.

Requests are judged by botocore's model of the service, so that a call which AWS would refuse for its shape is
refused here too.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from ops.gateway.account import size_of
from ops.gateway.faults import Mode
from ops.gateway.inbox import Text
from ops.gateway.opt_outs import NotThere, OptOutList
from ops.gateway.reception import Reception

CONTENT_TYPE = "application/x-amz-json-1.0"


@dataclass(frozen=True)
class Answer:
    """What goes back over HTTP: a status and the members of the result, or of the error named."""

    status: int
    body: dict[str, Any]
    error: str | None = None

    @classmethod
    def refusal(cls, error: str, message: str, *, status: int = 400, **members: object) -> "Answer":
        """An error in the shape in which AWS sends it."""
        return cls(status, {"__type": error, "Message": message, **members}, error)


_MISBEHAVIOUR = {
    Mode.THROTTLE: Answer.refusal("ThrottlingException", "Rate exceeded"),
    Mode.SERVER_ERROR: Answer.refusal(
        "InternalServerException", "An internal error occurred", status=500, RequestId="none"
    ),
    Mode.REJECT: Answer.refusal(
        "ConflictException",
        "The number is blocked",
        Reason="DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
    ),
    Mode.OPTED_OUT: Answer.refusal(
        "ConflictException", "The number has opted out", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT"
    ),
    Mode.SPEND_LIMIT: Answer.refusal(
        "ServiceQuotaExceededException",
        "The month's spend limit is reached",
        Reason="MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
    ),
}


class SMSVoice:
    """The operations we use: sending, and the list of who opted out. What else the real service does is
    answered as unknown, never faked.
    """

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._model = ServiceModel(Loader().load_service_model("pinpoint-sms-voice-v2", "service-2"))
        self._opt_outs = OptOutList()
        self._operations: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "SendTextMessage": self._send_text_message,
            "PutOptedOutNumber": lambda request: _found(self._opt_outs.put, request),
            "DeleteOptedOutNumber": lambda request: _found(self._opt_outs.delete, request),
            "DescribeOptedOutNumbers": lambda request: _found(self._opt_outs.describe, request),
        }

    def answer(self, target: str, body: bytes) -> Answer:
        """Carry out the operation that the `X-Amz-Target` header names, or say in AWS's terms why not.

        Raises Unanswered.
        """
        service, _, operation = target.partition(".")
        if service != self._model.metadata["targetPrefix"] or operation not in self._operations:
            return Answer.refusal("UnknownOperationException", f"unknown target {target!r}")
        try:
            request = json.loads(body)
        except ValueError:
            return Answer.refusal("SerializationException", "the body is not JSON")
        fault = self._fault(operation, request)
        return fault or self._operations[operation](request)

    def _send_text_message(self, request: dict[str, Any]) -> Answer:
        if self._opt_outs.holds(request["DestinationPhoneNumber"]):
            return _MISBEHAVIOUR[Mode.OPTED_OUT]
        words = request.get("MessageBody", "")
        size = size_of(words)
        text = Text(
            to=request["DestinationPhoneNumber"],
            text=words,
            context=request.get("Context", {}),
            sender=request.get("OriginationIdentity", ""),
            parts=size.parts,
            encoding=size.encoding,
            price_microusd=size.price_microusd,
        )
        if not request.get("DryRun"):
            wrong = self._reception.take(text, report_to=request.get("ConfigurationSetName", ""))
            if wrong:
                return _MISBEHAVIOUR[wrong]
        return Answer(200, {"MessageId": text.message_id})

    def _fault(self, operation: str, request: Any) -> Answer | None:
        shape = self._model.shape_for(f"{operation}Request")
        report = ParamValidator().validate(request, shape)
        if report.has_errors():
            return Answer.refusal("ValidationException", report.generate_report(), Reason="CANNOT_PARSE")
        fields = [{"Name": name, "Message": message} for name, message in _broken_limits("", request, shape)]
        if not fields:
            return None
        summary = "; ".join(f"{field['Name']}: {field['Message']}" for field in fields)
        return Answer.refusal("ValidationException", summary, Reason="FIELD_VALIDATION_FAILED", Fields=fields)


def _found(asked: Callable[[dict[str, Any]], dict[str, Any]], request: dict[str, Any]) -> Answer:
    try:
        return Answer(200, asked(request))
    except NotThere as missing:
        return Answer.refusal(
            "ResourceNotFoundException", f"there is no such {missing.kind}", ResourceType=missing.kind
        )


def _broken_limits(name: str, value: Any, shape: Shape) -> Iterator[tuple[str, str]]:
    """What AWS itself checks and botocore's validator leaves to it: maximum sizes, patterns and choices."""
    limit = shape.metadata.get("max")
    if limit is not None and not isinstance(value, int | float) and len(value) > limit:
        yield name, f"is longer than {limit}"
    if isinstance(shape, StringShape):
        yield from _broken_string(name, value, shape)
    for inner_name, inner, inner_shape in _parts(name, value, shape):
        yield from _broken_limits(inner_name, inner, inner_shape)


def _broken_string(name: str, value: str, shape: StringShape) -> Iterator[tuple[str, str]]:
    if shape.enum and value not in shape.enum:
        yield name, f"is none of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield name, f"does not match {pattern}"


def _parts(name: str, value: Any, shape: Shape) -> Iterator[tuple[str, Any, Shape]]:
    """The members of a structure, the items of a list, the keys and values of a map."""
    if isinstance(shape, StructureShape):
        for member in value.keys() & shape.members.keys():
            yield f"{name}.{member}".lstrip("."), value[member], shape.members[member]
    elif isinstance(shape, ListShape):
        for inner in value:
            yield name, inner, shape.member
    elif isinstance(shape, MapShape):
        for key, inner in value.items():
            yield f"{name} key", key, shape.key
            yield f"{name}.{key}", inner, shape.value
