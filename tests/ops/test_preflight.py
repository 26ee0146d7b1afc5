"""What `daftar deploy` finds in an account before it changes anything."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from ops.commands.rights import list_actions
from ops.deploy.artefacts import create_artefact_bucket
from ops.deploy.preflight import Finding, Level, check_runtime, exists, inspect_account, inspect_rights
from ops.deploy.runtimes import LAMBDA, read_end_of_support
from ops.deploy.stage_file import StageConfig
from ops.project import REGION

SPEND_LIMIT = "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT"
MAILS = {"MailFrom": "laporan@example.org", "MailIdentity": "example.org", "AlarmEmail": "oncall@example.org"}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield


def make_client(service: str) -> Any:
    session: Any = boto3.Session(region_name=REGION)
    return session.client(service)


def inspect_with(
    config: StageConfig, status: str | None = None, output: str = "", **clients: Any
) -> list[Finding]:
    """Inspect an account whose stack has this status and one output; `clients` replace those of moto."""
    cloudformation = make_client("cloudformation")
    with Stubber(cloudformation) as stubber:
        if status is None:
            stubber.add_client_error("describe_stacks", "ValidationError", "Stack does not exist")
        else:
            outputs = [{"OutputKey": output, "OutputValue": "-"}]
            stack = {
                "StackName": "daftar-try",
                "StackStatus": status,
                "CreationTime": "2026-11-29",
                "Outputs": outputs,
            }
            for _ in "12":
                stubber.add_response("describe_stacks", {"Stacks": [stack]})
        known = {"cloudformation": cloudformation, **clients}
        return inspect_account(
            config, lambda service: known.get(service) or make_client(service), today=date(2026, 11, 29)
        )


def inspect(config: StageConfig, status: str | None = None, output: str = "") -> list[str]:
    return [str(finding) for finding in inspect_with(config, status, output)]


@pytest.mark.parametrize(
    ("arn", "source"),
    [
        ("arn:aws:iam::123456789012:user/ani", "arn:aws:iam::123456789012:user/ani"),
        ("arn:aws:sts::123456789012:assumed-role/deploys/run-1", "arn:aws:iam::123456789012:role/deploys"),
    ],
    ids=["a person", "a session of a role"],
)
def test_what_the_credentials_may_not_call_is_named(arn: str, source: str) -> None:
    sts, iam = make_client("sts"), make_client("iam")
    actions = sorted(list_actions("deploy"))
    results = [
        {
            "EvalActionName": each,
            "EvalDecision": "implicitDeny" if each == "s3:CreateBucket" else "allowed",
        }
        for each in actions
    ]
    with Stubber(sts) as identity, Stubber(iam) as simulation:
        identity.add_response("get_caller_identity", {"Account": "123456789012", "Arn": arn})
        simulation.add_response(
            "simulate_principal_policy",
            {"EvaluationResults": results},
            {"PolicySourceArn": source, "ActionNames": actions},
        )
        clients = {"sts": sts, "iam": iam}
        found = inspect_rights(StageConfig("try"), lambda service: clients[service])
    assert [str(each) for each in found] == [
        "for a person: your credentials may not call s3:CreateBucket, or on some resources only"
    ]


def test_rights_that_cannot_be_looked_at_are_a_note() -> None:
    iam = make_client("iam")
    with Stubber(iam) as simulation:
        simulation.add_client_error("simulate_principal_policy", "AccessDenied")
        found = inspect_rights(StageConfig("try"), {"sts": make_client("sts"), "iam": iam}.__getitem__)
    assert [str(each) for each in found] == ["note: your rights could not be looked at (AccessDenied)"]


def test_an_empty_account_stops_nothing() -> None:
    assert Level.STOP not in {finding.level for finding in inspect_with(StageConfig("try"))}


def test_a_mail_identity_that_is_not_verified_and_the_sandbox_are_for_a_person() -> None:
    client = make_client("sesv2")
    with Stubber(client) as stubber:
        stubber.add_response("get_account", {"ProductionAccessEnabled": False, "SendingEnabled": True})
        stubber.add_client_error("get_email_identity", "NotFoundException")
        found = inspect_with(StageConfig("try", parameters=MAILS), sesv2=client)
    assert [finding.text for finding in found if finding.level is Level.PERSON] == [
        "SES is in its sandbox: ask for production access",
        "SES has not verified example.org: create it there",
    ]


def test_a_service_that_does_not_answer_is_named_and_stops_nothing() -> None:
    # moto has no AWS End User Messaging.
    [found] = [text for text in inspect(StageConfig("try")) if "End User Messaging" in text]
    assert found.startswith("note: AWS End User Messaging SMS could not be looked at")


def test_credentials_of_another_account_stop() -> None:
    config = StageConfig("try", account="210987654321")
    assert "stop: the credentials are of account 123456789012, the stage of 210987654321" in inspect(config)


@pytest.mark.parametrize(
    ("status", "output", "stops"),
    [
        ("UPDATE_COMPLETE", "KeysTableName", []),
        ("UPDATE_ROLLBACK_COMPLETE", "KeysTableName", []),
        ("ROLLBACK_COMPLETE", "none", []),
        ("CREATE_COMPLETE", "QueueUrl", ["stop: the stack daftar-try exists and is not Daftar"]),
        (
            "UPDATE_IN_PROGRESS",
            "KeysTableName",
            ["stop: the stack daftar-try is UPDATE_IN_PROGRESS: finish that first"],
        ),
        (
            "UPDATE_ROLLBACK_FAILED",
            "KeysTableName",
            ["stop: the stack daftar-try is UPDATE_ROLLBACK_FAILED: finish that first"],
        ),
    ],
)
def test_only_a_stack_of_daftar_at_rest_is_updated(status: str, output: str, stops: list[str]) -> None:
    found = inspect(StageConfig("try"), status, output)
    assert [text for text in found if text.startswith("stop")] == stops


def test_without_an_answer_about_the_account_nothing_is_deployed() -> None:
    client = make_client("sts")
    with Stubber(client) as stubber:
        stubber.add_client_error("get_caller_identity", "ExpiredToken")
        with pytest.raises(ClientError, match="ExpiredToken"):
            inspect_with(StageConfig("try", account="123456789012"), sts=client)


def test_what_is_not_set_is_said() -> None:
    found = inspect(StageConfig("try", region="ap-southeast-1"))
    assert "note: nobody gets the alarms: the stage has no AlarmEmail" in found
    assert "note: managers get no mails: the stage has no MailFrom and MailIdentity" in found
    assert "note: the stage is in ap-southeast-1; Indonesia's region is ap-southeast-3" in found


@pytest.mark.parametrize(
    ("tier", "is_registered", "expected"),
    [
        ("SANDBOX", True, ["for a person: SMS are in the sandbox: ask for production access"]),
        (
            "PRODUCTION",
            False,
            ["for a person: the sender id BPJAMSOSTEK is not registered for Indonesia: it takes weeks"],
        ),
        ("PRODUCTION", True, []),
    ],
)
def test_the_account_for_sms_is_looked_at(tier: str, is_registered: bool, expected: list[str]) -> None:
    client = make_client("pinpoint-sms-voice-v2")
    sender = {
        "SenderIdArn": "arn:aws:sms-voice:ap-southeast-3:123456789012:sender-id/BPJAMSOSTEK/ID",
        "SenderId": "BPJAMSOSTEK",
        "IsoCountryCode": "ID",
        "MessageTypes": ["TRANSACTIONAL"],
        "MonthlyLeasingPrice": "0",
        "DeletionProtectionEnabled": False,
        "Registered": is_registered,
    }
    limit = {"Name": SPEND_LIMIT, "EnforcedLimit": 7, "MaxLimit": 7, "Overridden": False}
    with Stubber(client) as stubber:
        attributes = {"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": tier}]}
        stubber.add_response("describe_account_attributes", attributes)
        stubber.add_response("describe_spend_limits", {"SpendLimits": [limit]})
        stubber.add_response("describe_sender_ids", {"SenderIds": [sender]})
        found = inspect_with(StageConfig("try"), **{"pinpoint-sms-voice-v2": client})
    texts = [str(finding) for finding in found]
    assert "note: SMS cost 7 US dollars a month at most" in texts
    assert [text for text in texts if "sandbox: ask" in text or "sender id" in text] == expected


def test_the_bucket_for_packages_is_private_encrypted_versioned_and_cleaned() -> None:
    s3 = make_client("s3")
    for _ in "12":
        create_artefact_bucket(s3, "contoh-artefak")
    blocked = s3.get_public_access_block(Bucket="contoh-artefak")["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    assert s3.get_bucket_versioning(Bucket="contoh-artefak")["Status"] == "Enabled"
    [rule] = s3.get_bucket_lifecycle_configuration(Bucket="contoh-artefak")["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    [encryption] = s3.get_bucket_encryption(Bucket="contoh-artefak")["ServerSideEncryptionConfiguration"][
        "Rules"
    ]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_a_runtime_stops_the_deployment_half_a_year_before_its_end_of_support() -> None:
    end = read_end_of_support(LAMBDA.runtime)
    assert [*check_runtime(LAMBDA.runtime, end - timedelta(days=180))] == []
    [found] = check_runtime(LAMBDA.runtime, end - timedelta(days=179))
    assert (found.level, LAMBDA.runtime in found.text) == (Level.STOP, True)


def test_the_oldest_python_of_our_code_may_no_longer_be_deployed() -> None:
    assert [each.level for each in check_runtime("python3.11", date(2026, 11, 29))] == [Level.STOP]


@pytest.mark.parametrize(
    ("status", "is_there"),
    [(None, False), ("REVIEW_IN_PROGRESS", False), ("ROLLBACK_COMPLETE", False), ("UPDATE_COMPLETE", True)],
)
def test_a_stage_exists_once_its_stack_was_created(status: str | None, *, is_there: bool) -> None:
    cloudformation = make_client("cloudformation")
    stack = {"StackName": "daftar-try", "StackStatus": status, "CreationTime": "2026-11-29"}
    with Stubber(cloudformation) as stubber:
        if status is None:
            stubber.add_client_error("describe_stacks", "ValidationError", "Stack does not exist")
        else:
            stubber.add_response("describe_stacks", {"Stacks": [stack]})
        assert exists(StageConfig("try"), lambda _: cloudformation) is is_there
