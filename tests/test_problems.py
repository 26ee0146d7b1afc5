"""Problem documents: the right one in the right language, and nothing personal in it."""

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

from chalicelib.callers import CHANNELS_BY_ROLE
from chalicelib.clients.limits import ROLES_TOGETHER
from chalicelib.http import problems
from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.http.problem_texts import PROBLEMS
from chalicelib.languages import LANGUAGES, Language
from chalicelib.refusals import BrokenRule, NotAllowed, RulesBroken, TryAgain
from chalicelib.registrations.messages import SubmitRegistration
from tests.support.payloads import encode_payload, make_capture_payload, make_nik


def make_aws_error(code: str, *, status: int = 400, reasons: tuple[str, ...] = ()) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "…"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(response, "TransactWriteItems")


def make_validation_error(body: bytes) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        SubmitRegistration.model_validate_json(body, strict=True)
    return refused.value


def get_problem(error: Exception, language: Language = "en") -> dict[str, Any]:
    response = problems.respond_to_error(error, language)
    assert response is not None
    body: dict[str, Any] = response.body
    return body


def get_field_codes(body: bytes) -> dict[str, str]:
    return {each["field"]: each["code"] for each in get_problem(make_validation_error(body))["errors"]}


@pytest.mark.parametrize("code", PROBLEMS)
def test_a_problem_has_a_title_in_every_language(code: str) -> None:
    titles = {problems.respond(code, language).body["title"] for language in LANGUAGES}
    assert len(titles) == len(LANGUAGES)


def test_the_message_about_channels_names_each() -> None:
    message = FIELD_MESSAGES["role_channel_conflict"]
    for text in (message.indonesian, message.english):
        assert all(channel in text for channels in CHANNELS_BY_ROLE.values() for channel in channels)


def test_the_message_about_roles_names_those_that_go_together() -> None:
    message = FIELD_MESSAGES["roles_conflict"]
    for text in (message.indonesian, message.english):
        assert all(role in text for roles in ROLES_TOGETHER for role in roles)


def test_a_refusal_is_the_problem_that_its_code_names() -> None:
    response = problems.respond_to_error(NotAllowed("van-1 has none"), "en")
    assert response is not None
    assert response.status_code == 403
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.body == {
        "type": "about:blank",
        "code": "role_not_allowed",
        "title": "Your role may not do this.",
        "status": 403,
    }


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_has_a_title_in_both_languages(code: str) -> None:
    indonesian, english = (problems.respond(code, language) for language in ("id", "en"))
    assert indonesian.body["title"] != english.body["title"]
    assert [each.headers["Content-Language"] for each in (indonesian, english)] == ["id", "en"]
    assert indonesian.body["code"] == english.body["code"] == code
    assert indonesian.status_code == indonesian.body["status"] >= 400


def test_each_broken_rule_has_a_message_in_the_callers_language() -> None:
    error = RulesBroken(BrokenRule("worker.nik", "nik_length"), BrokenRule("worker.phone", "phone_foreign"))
    assert get_problem(error, "id")["errors"] == [
        {"field": "worker.nik", "code": "nik_length", "message": "NIK harus 16 angka."},
        {"field": "worker.phone", "code": "phone_foreign", "message": "Harus nomor HP Indonesia."},
    ]


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("id", "NIK harus 16 angka. Yang diketik 15 angka."),
        ("en", "A NIK has 16 digits. You typed 15."),
    ],
)
def test_a_message_counts_the_digits_that_were_typed(language: Language, message: str) -> None:
    error = RulesBroken(BrokenRule("worker.nik", "nik_length", digits=15))
    assert get_problem(error, language)["errors"] == [
        {"field": "worker.nik", "code": "nik_length", "message": message}
    ]


def test_try_again_has_a_retry_after_header() -> None:
    response = problems.respond_to_error(TryAgain("write conflict", retry_after_seconds=7), "en")
    assert response is not None
    assert (response.status_code, response.headers["Retry-After"]) == (503, "7")


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b"\xff\xfe", b'{"worker": {"name": "\\ud800"}}'])
def test_a_body_that_is_not_json_is_malformed(body: bytes) -> None:
    assert get_problem(make_validation_error(body))["code"] == "json_malformed"


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
def test_each_invalid_field_has_its_path_and_a_stable_code(
    changes: dict[str, Any], field: str, code: str
) -> None:
    assert get_field_codes(encode_payload({**make_capture_payload(**changes)})) == {field: code}


def test_missing_fields_are_named_one_by_one() -> None:
    assert set(get_field_codes(b"{}").values()) == {"field_missing"}


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"text"'])
def test_json_that_is_not_an_object_is_invalid_as_a_whole(body: bytes) -> None:
    assert get_field_codes(body) == {"": "value_wrong_type"}


def test_no_answer_repeats_a_value_of_the_request() -> None:
    personal = {"nik": make_nik() * 3, "name": "Melati" * 20, "language": "melati", "postal_code": 10250}
    problem = str(get_problem(make_validation_error(encode_payload(make_capture_payload(worker=personal)))))
    for value in ("elati", make_nik(), "10250"):
        assert value not in problem


@pytest.mark.parametrize(
    "error",
    [
        make_aws_error("ThrottlingException"),
        make_aws_error("ProvisionedThroughputExceededException"),
        make_aws_error("RequestLimitExceeded"),
        make_aws_error("TransactionInProgressException"),
        make_aws_error("TransactionCanceledException", reasons=("None", "ThrottlingError")),
        make_aws_error("TransactionCanceledException", reasons=("TransactionConflict",)),
        make_aws_error("WhateverHappened", status=500),
        make_aws_error("WhateverHappened", status=503),
        ConnectTimeoutError(endpoint_url="…"),
        ReadTimeoutError(endpoint_url="…"),
        EndpointConnectionError(endpoint_url="…"),
        ConnectionClosedError(endpoint_url="…"),
    ],
    ids=lambda error: str(error)[:60],
)
def test_a_transient_error_of_aws_is_answered_with_try_again(error: Exception) -> None:
    response = problems.respond_to_error(error, "en")
    assert response is not None
    assert (response.status_code, response.body["code"]) == (503, "try_again")
    assert int(str(response.headers["Retry-After"])) > 0


@pytest.mark.parametrize(
    "error",
    [
        make_aws_error("AccessDeniedException"),
        make_aws_error("ResourceNotFoundException"),
        make_aws_error("ValidationException"),
        make_aws_error("TransactionCanceledException", reasons=("ConditionalCheckFailed", "ValidationError")),
        NoCredentialsError(),
        ValueError("a fault of ours"),
        ConnectionError(),
    ],
    ids=lambda error: type(error).__name__ + str(error)[:60],
)
def test_other_errors_have_no_problem_document(error: Exception) -> None:
    assert problems.respond_to_error(error, "en") is None
