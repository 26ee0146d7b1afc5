"""Refusals as answers: the right document in the right language, and nothing personal in it."""

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from pydantic import ValidationError

from chalicelib.http import problems
from chalicelib.http.problems import PROBLEMS
from chalicelib.languages import Language
from chalicelib.refusals import BrokenRule, NotAllowed, RulesBroken, TryAgain
from chalicelib.registrations.messages import SubmitRegistration
from tests.support.builders import encode_payload, make_capture_payload, make_nik


def an_aws_error(code: str, *, status: int = 400, reasons: tuple[str, ...] = ()) -> ClientError:
    return ClientError(
        {  # type: ignore[arg-type]
            "Error": {"Code": code, "Message": "…"},
            "ResponseMetadata": {"HTTPStatusCode": status},
            "CancellationReasons": [{"Code": reason} for reason in reasons],
        },
        "TransactWriteItems",
    )


def misshapen(body: bytes) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        SubmitRegistration.model_validate_json(body, strict=True)
    return refused.value


def body_of(error: Exception, language: Language = "en") -> dict[str, Any]:
    answer = problems.respond_to_error(error, language)
    assert answer is not None
    body: dict[str, Any] = answer.body
    return body


def errors_of(body: bytes) -> dict[str, str]:
    return {each["field"]: each["code"] for each in body_of(misshapen(body))["errors"]}


def test_a_refusal_is_the_problem_that_its_code_names() -> None:
    answer = problems.respond_to_error(NotAllowed("van-1 has none"), "en")
    assert answer is not None
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body == {
        "type": "about:blank",
        "code": "role_not_allowed",
        "title": "Your role may not do this.",
        "status": 403,
    }


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_is_told_in_both_languages(code: str) -> None:
    indonesian, english = (problems.respond(code, language) for language in ("id", "en"))
    assert indonesian.body["title"] != english.body["title"]
    assert [answer.headers["Content-Language"] for answer in (indonesian, english)] == ["id", "en"]
    assert indonesian.body["code"] == english.body["code"] == code
    assert indonesian.status_code == indonesian.body["status"] >= 400


def test_each_broken_rule_is_told_to_the_person_at_the_tablet() -> None:
    error = RulesBroken(BrokenRule("worker.nik", "nik_length"), BrokenRule("worker.phone", "phone_foreign"))
    assert body_of(error, "id")["errors"] == [
        {"field": "worker.nik", "code": "nik_length", "message": "NIK harus 16 angka."},
        {"field": "worker.phone", "code": "phone_foreign", "message": "Harus nomor HP Indonesia."},
    ]


def test_try_again_says_when() -> None:
    answer = problems.respond_to_error(TryAgain("others were in the way", retry_after_seconds=7), "en")
    assert answer is not None
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b"\xff\xfe", b'{"worker": {"name": "\\ud800"}}'])
def test_a_body_that_is_no_json_is_malformed(body: bytes) -> None:
    assert body_of(misshapen(body))["code"] == "json_malformed"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"worker": {"nik": 1}}, "worker.nik", "value_wrong_type"),
        ({"worker": {"nik": "1" * 41}}, "worker.nik", "value_too_long"),
        ({"worker": {"name": ""}}, "worker.name", "value_too_short"),
        ({"worker": {"language": "jv"}}, "worker.language", "value_not_allowed"),
        ({"work": {"monthly_income": -1}}, "work.monthly_income", "value_out_of_range"),
        ({"work": {"occupations": []}}, "work.occupations", "value_too_short"),
        ({"captured_at": "2024-10-09T09:12:00"}, "captured_at", "value_malformed"),
        ({"capture_id": "not-a-uuid"}, "capture_id", "value_malformed"),
        ({"worker": "Siti Aminah"}, "worker", "value_wrong_type"),
        ({"extra": 1}, "extra", "field_unknown"),
        ({"Siti Aminah 3171": 1}, "?", "field_unknown"),
    ],
)
def test_each_misshapen_field_has_its_path_and_a_stable_code(
    changes: dict[str, Any], field: str, code: str
) -> None:
    assert errors_of(encode_payload({**make_capture_payload(**changes)})) == {field: code}


def test_missing_fields_are_named_one_by_one() -> None:
    assert set(errors_of(b"{}").values()) == {"field_missing"}


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"text"'])
def test_json_that_is_no_object_is_misshapen_as_a_whole(body: bytes) -> None:
    assert errors_of(body) == {"": "value_wrong_type"}


def test_no_answer_repeats_what_was_typed() -> None:
    personal = {"nik": make_nik() * 3, "name": "Melati" * 20, "language": "melati", "postal_code": 10250}
    told = str(body_of(misshapen(encode_payload(make_capture_payload(worker=personal)))))
    for value in ("elati", make_nik(), "10250"):
        assert value not in told


@pytest.mark.parametrize(
    "error",
    [
        an_aws_error("ThrottlingException"),
        an_aws_error("ProvisionedThroughputExceededException"),
        an_aws_error("RequestLimitExceeded"),
        an_aws_error("TransactionInProgressException"),
        an_aws_error("TransactionCanceledException", reasons=("None", "ThrottlingError")),
        an_aws_error("TransactionCanceledException", reasons=("TransactionConflict",)),
        an_aws_error("WhateverHappened", status=500),
        an_aws_error("WhateverHappened", status=503),
        ConnectTimeoutError(endpoint_url="…"),
        ReadTimeoutError(endpoint_url="…"),
        EndpointConnectionError(endpoint_url="…"),
        ConnectionClosedError(endpoint_url="…"),
    ],
    ids=lambda error: str(error)[:60],
)
def test_aws_throttled_or_out_of_reach_means_try_again(error: Exception) -> None:
    answer = problems.respond_to_error(error, "en")
    assert answer is not None
    assert (answer.status_code, answer.body["code"]) == (503, "try_again")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "error",
    [
        an_aws_error("AccessDeniedException"),
        an_aws_error("ResourceNotFoundException"),
        an_aws_error("ValidationException"),
        an_aws_error("TransactionCanceledException", reasons=("ConditionalCheckFailed", "ValidationError")),
        NoCredentialsError(),
        ValueError("a fault of ours"),
        ConnectionError(),
    ],
    ids=lambda error: type(error).__name__ + str(error)[:60],
)
def test_what_nobody_foresaw_is_left_to_the_edge(error: Exception) -> None:
    assert problems.respond_to_error(error, "en") is None
