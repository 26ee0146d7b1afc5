"""Each function of the zip runs alone in a clean interpreter, as on Lambda."""

import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest

from tests.support import http_events
from tests.support.aws_events import make_remove_event, make_schedule_event, make_sqs_event, make_token_event
from tests.support.lambda_runtime import SDK
from tests.support.payloads import make_capture_payload
from tests.support.requirements import read_requirements
from tests.zip.conftest import StartFunction

OUR_OWN = {"app.py", "chalicelib"}


def test_api_answers_a_caller_of_the_wrong_role(
    start_function: StartFunction, offline_environment: Mapping[str, str]
) -> None:
    answer = start_function("app.app", offline_environment).invoke(
        http_events.make_registration_event(make_capture_payload(), caller=http_events.MANAGER)
    )
    assert answer.value["statusCode"] == 403
    assert json.loads(answer.value["body"])["code"] == "role_not_allowed"


def test_api_that_starts_from_a_snapshot_answers(
    start_function: StartFunction, offline_environment: Mapping[str, str]
) -> None:
    environment = {**offline_environment, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    answer = start_function("app.app", environment).invoke(
        http_events.make_registration_event(make_capture_payload(), caller=http_events.MANAGER)
    )
    assert answer.value["statusCode"] == 403


def test_authorizer_refuses_other_schemes_than_bearer(
    start_function: StartFunction, offline_environment: Mapping[str, str]
) -> None:
    answer = start_function("app.authorize_caller", offline_environment).invoke(
        make_token_event("Basic bm9ib2R5")
    )
    assert (answer.error, answer.value["errorMessage"]) == ("Unauthorized", "Unauthorized")


def test_stream_publisher_ignores_irrelevant_changes(
    start_function: StartFunction, offline_environment: Mapping[str, str]
) -> None:
    event = make_remove_event({"pk": {"S": "CAPTURE#1"}, "sk": {"S": "CAPTURE"}})
    answer = start_function("app.on_registration_changes", offline_environment).invoke(event)
    assert answer.value == {"batchItemFailures": []}


def test_sender_reports_an_invalid_message_as_failed(
    start_function: StartFunction, offline_environment: Mapping[str, str]
) -> None:
    answer = start_function("app.on_notifications", offline_environment).invoke(make_sqs_event("not JSON"))
    assert answer.value == {"batchItemFailures": [{"itemIdentifier": "m-0"}]}


@pytest.mark.parametrize(
    "function", ["roll_up_due_days", "deliver_reports", "export_days", "age_registrations"]
)
def test_a_scheduled_function_fails_without_dynamodb(
    function: str, start_function: StartFunction, offline_environment: Mapping[str, str]
) -> None:
    answer = start_function(f"app.{function}", offline_environment).invoke(make_schedule_event())
    # The error goes to a failure queue, so it has only the type of its cause.
    assert (answer.error, answer.value["errorMessage"]) == ("UnhandledError", "EndpointConnectionError")


@pytest.mark.parametrize(
    "package",
    ["chalice", "pydantic", "annotated_types", "aws_lambda_powertools", "cryptography"],
)
def test_a_package_missing_from_the_zip_does_not_come_from_elsewhere(
    package: str,
    start_function: StartFunction,
    unpacked_zip: Path,
    tmp_path: Path,
    offline_environment: Mapping[str, str],
) -> None:
    incomplete = tmp_path / "task"
    incomplete.mkdir()
    for entry in unpacked_zip.iterdir():
        if entry.name != package:
            (incomplete / entry.name).symlink_to(entry)
    answer = start_function("app.app", offline_environment, unpacked_zip=incomplete).invoke(
        http_events.make_registration_event(make_capture_payload())
    )
    assert answer.error == "Runtime.ImportModuleError"
    assert package in answer.value["errorMessage"]


def test_zip_has_only_the_required_packages(unpacked_zip: Path) -> None:
    known = {*OUR_OWN, "__pycache__"}
    for name in [*(requirement.name for requirement in read_requirements()), "chalice"]:
        known |= {file.parts[0] for file in metadata.distribution(name).files or ()}
    assert {entry.name for entry in unpacked_zip.iterdir()} <= known


def test_zip_has_no_sdk(unpacked_zip: Path) -> None:
    # boto3 and Powertools need jmespath; the zip has its own, in the tested version.
    provided = {"boto3", "botocore", "s3transfer", "dateutil", "six.py", "urllib3"}
    assert len(provided) == len(SDK) - len({"jmespath"})
    assert not provided & {entry.name for entry in unpacked_zip.iterdir()}
