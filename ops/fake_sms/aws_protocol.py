"""The AWS service `pinpoint-sms-voice-v2` (AWS JSON 1.0).

Requests are validated by botocore's model of the service, so a call that AWS would refuse for its shape is
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

from ops.fake_sms.acceptor import SmsAcceptor
from ops.fake_sms.faults import FaultMode
from ops.fake_sms.inbox import ReceivedSms
from ops.fake_sms.opt_outs import OptOutList, ResourceNotFound
from ops.fake_sms.pricing import measure_sms

CONTENT_TYPE = "application/x-amz-json-1.0"


@dataclass(frozen=True)
class AwsResponse:
    """A response: its status, the members of the result or error, and the error's name."""

    status: int
    body: dict[str, Any]
    error: str | None = None

    @classmethod
    def make_error(cls, error: str, message: str, *, status: int = 400, **members: object) -> "AwsResponse":
        return cls(status, {"__type": error, "Message": message, **members}, error)


_FAULT_RESPONSES = {
    FaultMode.THROTTLE: AwsResponse.make_error("ThrottlingException", "Rate exceeded"),
    FaultMode.SERVER_ERROR: AwsResponse.make_error(
        "InternalServerException", "An internal error occurred", status=500, RequestId="none"
    ),
    FaultMode.REJECT: AwsResponse.make_error(
        "ConflictException",
        "The number is blocked",
        Reason="DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
    ),
    FaultMode.OPTED_OUT: AwsResponse.make_error(
        "ConflictException", "The number has opted out", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT"
    ),
    FaultMode.SPEND_LIMIT: AwsResponse.make_error(
        "ServiceQuotaExceededException",
        "The month's spend limit is reached",
        Reason="MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
    ),
}


class AwsSmsService:
    """The operations that Daftar uses: sending, and the opt-out list. All others are answered as unknown."""

    def __init__(self, acceptor: SmsAcceptor) -> None:
        self._acceptor = acceptor
        self._model = ServiceModel(Loader().load_service_model("pinpoint-sms-voice-v2", "service-2"))
        self._opt_outs = OptOutList()
        self._operations: dict[str, Callable[[dict[str, Any]], AwsResponse]] = {
            "SendTextMessage": self._send_text_message,
            "PutOptedOutNumber": lambda request: _run_opt_out_operation(self._opt_outs.put, request),
            "DeleteOptedOutNumber": lambda request: _run_opt_out_operation(self._opt_outs.delete, request),
            "DescribeOptedOutNumbers": lambda request: _run_opt_out_operation(
                self._opt_outs.describe, request
            ),
        }

    def handle(self, target: str, body: bytes) -> AwsResponse:
        """Execute the operation of the `X-Amz-Target` header. Raise ConnectionDropped."""
        service, _, operation = target.partition(".")
        if service != self._model.metadata["targetPrefix"] or operation not in self._operations:
            return AwsResponse.make_error("UnknownOperationException", f"unknown target {target!r}")
        try:
            request = json.loads(body)
        except ValueError:
            return AwsResponse.make_error("SerializationException", "the body is not JSON")
        fault = self._validate(operation, request)
        return fault or self._operations[operation](request)

    def _send_text_message(self, request: dict[str, Any]) -> AwsResponse:
        if self._opt_outs.contains(request["DestinationPhoneNumber"]):
            return _FAULT_RESPONSES[FaultMode.OPTED_OUT]
        body = request.get("MessageBody", "")
        size = measure_sms(body)
        sms = ReceivedSms(
            to=request["DestinationPhoneNumber"],
            text=body,
            context=request.get("Context", {}),
            sender=request.get("OriginationIdentity", ""),
            parts=size.parts,
            encoding=size.encoding,
            price_microusd=size.price_microusd,
        )
        if not request.get("DryRun"):
            fault = self._acceptor.accept(sms, receipt_target=request.get("ConfigurationSetName", ""))
            if fault:
                return _FAULT_RESPONSES[fault]
        return AwsResponse(200, {"MessageId": sms.message_id})

    def _validate(self, operation: str, request: Any) -> AwsResponse | None:
        shape = self._model.shape_for(f"{operation}Request")
        report = ParamValidator().validate(request, shape)
        if report.has_errors():
            return AwsResponse.make_error(
                "ValidationException", report.generate_report(), Reason="CANNOT_PARSE"
            )
        fields = [
            {"Name": name, "Message": message} for name, message in _find_limit_violations("", request, shape)
        ]
        if not fields:
            return None
        summary = "; ".join(f"{field['Name']}: {field['Message']}" for field in fields)
        return AwsResponse.make_error(
            "ValidationException", summary, Reason="FIELD_VALIDATION_FAILED", Fields=fields
        )


def _run_opt_out_operation(
    operation: Callable[[dict[str, Any]], dict[str, Any]], request: dict[str, Any]
) -> AwsResponse:
    try:
        return AwsResponse(200, operation(request))
    except ResourceNotFound as error:
        return AwsResponse.make_error(
            "ResourceNotFoundException",
            f"there is no such {error.resource_type}",
            ResourceType=error.resource_type,
        )


def _find_limit_violations(name: str, value: Any, shape: Shape) -> Iterator[tuple[str, str]]:
    """Yield the violations that AWS checks and botocore's validator does not: maximums, patterns, enums."""
    limit = shape.metadata.get("max")
    if limit is not None and not isinstance(value, int | float) and len(value) > limit:
        yield name, f"is longer than {limit}"
    if isinstance(shape, StringShape):
        yield from _find_string_violations(name, value, shape)
    for inner_name, inner, inner_shape in _iter_members(name, value, shape):
        yield from _find_limit_violations(inner_name, inner, inner_shape)


def _find_string_violations(name: str, value: str, shape: StringShape) -> Iterator[tuple[str, str]]:
    if shape.enum and value not in shape.enum:
        yield name, f"is none of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield name, f"does not match {pattern}"


def _iter_members(name: str, value: Any, shape: Shape) -> Iterator[tuple[str, Any, Shape]]:
    """Yield the members of a structure, the items of a list, or the keys and values of a map."""
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
