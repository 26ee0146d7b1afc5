"""Requests with captures, and events on the queue."""

from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.registrations.cleaned_capture import CleanedCapture
from chalicelib.registrations.domain_events import RegistrationReceived
from chalicelib.registrations.messages import SubmitRegistration
from tests.support.builders import make_submission
from tests.support.payloads import encode_payload, make_capture_payload


def find_errors(capture: dict[str, Any]) -> set[str]:
    with pytest.raises(ValidationError) as refused:
        SubmitRegistration.model_validate_json(encode_payload(capture), strict=True)
    return {".".join(map(str, fault["loc"])) for fault in refused.value.errors()}


def test_the_example_of_the_contract_is_valid() -> None:
    assert make_submission().campaign_id == "tanah-abang-2024"


@pytest.mark.parametrize(
    "name", ["capture_id", "campaign_id", "captured_at", "worker", "work", "coverage", "consent"]
)
def test_a_capture_without_a_required_field_is_invalid(name: str) -> None:
    capture = make_capture_payload()
    del capture[name]
    assert find_errors(capture) == {name}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"capture_id": "not-a-uuid"}, "capture_id"),
        ({"campaign_id": "Tanah Abang"}, "campaign_id"),
        ({"captured_at": "2024-10-09T09:12:00"}, "captured_at"),
        ({"captured_at": "yesterday"}, "captured_at"),
        ({"captured_at": 1728453600}, "captured_at"),
        ({"captured_at": "0001-01-01T00:00:00+07:00"}, "captured_at"),
        ({"captured_at": "9999-12-31T23:59:59Z"}, "captured_at"),
        ({"device_sequence": 0}, "device_sequence"),
        ({"device_sequence": 2**31}, "device_sequence"),
        ({"device_sequence": "1"}, "device_sequence"),
        ({"officer": "Siti Aminah"}, "officer"),
        ({"officer": ""}, "officer"),
        ({"ktp": "…"}, "ktp"),
        ({"worker": {"nik": 3171075204857001}}, "worker.nik"),
        ({"worker": {"nik": "1" * 41}}, "worker.nik"),
        ({"worker": {"name": ""}}, "worker.name"),
        ({"worker": {"name": "a" * 101}}, "worker.name"),
        ({"worker": {"birth_date": "1985-02-30"}}, "worker.birth_date"),
        ({"worker": {"address": ""}}, "worker.address"),
        ({"worker": {"language": "jv"}}, "worker.language"),
        ({"worker": {"mother": "…"}}, "worker.mother"),
        ({"work": {"occupations": []}}, "work.occupations"),
        ({"work": {"occupations": ["porter", "trader", "tailor"]}}, "work.occupations"),
        ({"work": {"occupations": ["porter", "Kuli Panggul"]}}, "work.occupations.1"),
        ({"work": {"monthly_income": -1}}, "work.monthly_income"),
        ({"work": {"monthly_income": 1_000_000_001}}, "work.monthly_income"),
        ({"work": {"monthly_income": 2500000.5}}, "work.monthly_income"),
        ({"work": {"monthly_income": "2500000"}}, "work.monthly_income"),
        ({"work": {"employs_others": "no"}}, "work.employs_others"),
        ({"coverage": {"programmes": []}}, "coverage.programmes"),
        ({"coverage": {"programmes": ["JKK", "JKP"]}}, "coverage.programmes.1"),
        ({"coverage": {"months": 4}}, "coverage.months"),
        ({"coverage": {"payer": "employer"}}, "coverage.payer"),
        ({"consent": {"given_at": "2024-10-09T09:11:30"}}, "consent.given_at"),
        ({"consent": {"method": "assumed"}}, "consent.method"),
        ({"consent": {"language": "jv"}}, "consent.language"),
    ],
)
def test_each_invalid_field_is_reported(changes: dict[str, Any], fault: str) -> None:
    assert find_errors(make_capture_payload(**changes)) == {fault}


def serialize(command: SubmitRegistration) -> str:
    return CleanedCapture.from_command(command).serialize_content()


def test_two_requests_with_one_capture_have_the_same_content() -> None:
    assert serialize(make_submission()) == serialize(make_submission())


@pytest.mark.parametrize(
    "changes",
    [
        {"worker": {"name": "Melati Kusumawat"}},
        {"worker": {"email": "melati@pasar.example"}},
        {"captured_at": "2024-10-09T11:12:01+07:00"},
        {"coverage": {"months": 6}},
        {"device_sequence": 1},
    ],
)
def test_another_value_is_other_content(changes: dict[str, Any]) -> None:
    assert serialize(make_submission(**changes)) != serialize(make_submission())


def test_an_empty_field_is_the_same_content_as_a_missing_one() -> None:
    without_email = make_capture_payload()
    del without_email["worker"]["email"]
    again = SubmitRegistration.model_validate_json(encode_payload(without_email), strict=True)
    content = serialize(make_submission(worker={"email": None}))
    assert serialize(again) == content
    assert "email" not in content


def test_an_event_has_a_reference_and_no_data_of_the_worker() -> None:
    news = RegistrationReceived(reference="7K4-M2Q-X9P", correlation_id="c-1")
    assert RegistrationReceived.model_validate_json(news.model_dump_json()) == news
    assert set(RegistrationReceived.model_fields) == {"type", "version", "reference", "correlation_id"}


def test_an_event_with_unknown_fields_is_accepted() -> None:
    body = (
        '{"type": "RegistrationReceived", "version": 1, "reference": "R", "correlation_id": "c", "more": 1}'
    )
    assert RegistrationReceived.model_validate_json(body).reference == "R"


@pytest.mark.parametrize(
    "body",
    [
        '{"type": "RegistrationReceived", "version": 2, "reference": "R", "correlation_id": "c"}',
        '{"type": "RegistrationEnded", "version": 1, "reference": "R", "correlation_id": "c"}',
        '{"type": "RegistrationReceived", "version": 1, "correlation_id": "c"}',
        "not JSON",
        "",
    ],
)
def test_an_event_of_another_type_or_version_is_refused(body: str) -> None:
    with pytest.raises(ValidationError):
        RegistrationReceived.model_validate_json(body)
