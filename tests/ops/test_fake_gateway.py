"""The fake SMS gateway, called with the AWS SDK."""

from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from ops.fake_sms.inbox import Inbox

_TARGET = "PinpointSMSVoiceV2.SendTextMessage"


def _messages(gateway_url: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = httpx.get(f"{gateway_url}/messages").json()
    return messages


def _read_error(refused: pytest.ExceptionInfo[ClientError]) -> dict[str, Any]:
    """Return the response of an error, with the members that only this service has."""
    return dict(refused.value.response)


def _send(gateway_url: str, body: str, target: str = _TARGET) -> httpx.Response:
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}
    return httpx.post(gateway_url, content=body, headers=headers)


def test_an_sms_is_received_with_its_id_and_context(sms_client: Any, gateway_url: str) -> None:
    answer = sms_client.send_text_message(
        DestinationPhoneNumber="+6283100000001",
        OriginationIdentity="BPJAMSOSTEK",
        MessageBody="Halo",
        MessageType="TRANSACTIONAL",
        Context={"message": "m-1"},
    )
    [message] = _messages(gateway_url)
    assert message["received_at"]
    assert {name: message[name] for name in ("to", "text", "message_id", "context")} == {
        "to": "+6283100000001",
        "text": "Halo",
        "message_id": answer["MessageId"],
        "context": {"message": "m-1"},
    }


def test_sms_are_listed_oldest_first(sms_client: Any, gateway_url: str) -> None:
    for body in ("satu", "dua", "tiga"):
        sms_client.send_text_message(DestinationPhoneNumber="+6283100000001", MessageBody=body)
    assert [message["text"] for message in _messages(gateway_url)] == ["satu", "dua", "tiga"]


@pytest.mark.parametrize(("start", "expected"), [(0, ["satu", "dua"]), (1, ["dua"]), (2, []), (9, [])])
def test_a_reader_that_knows_the_first_sms_gets_the_later_ones(
    start: int, expected: list[str], sms_client: Any, gateway_url: str
) -> None:
    for body in ("satu", "dua"):
        sms_client.send_text_message(DestinationPhoneNumber="+6283100000001", MessageBody=body)
    later = httpx.get(f"{gateway_url}/messages?start={start}").json()
    assert [message["text"] for message in later] == expected


@pytest.mark.parametrize("start", ["-1", "x", "1.5"])
def test_what_is_no_number_of_sms_is_refused(start: str, gateway_url: str) -> None:
    assert httpx.get(f"{gateway_url}/messages?start={start}").status_code == 400


def test_sms_are_kept_in_a_file_that_only_its_owner_can_read(
    sms_client: Any, gateway_url: str, inbox_file: Path
) -> None:
    sms_client.send_text_message(DestinationPhoneNumber="+6283100000001", MessageBody="Halo")
    assert [sms.text for sms in Inbox(inbox_file).list_sms()] == ["Halo"]
    assert inbox_file.stat().st_mode & 0o777 == 0o600


def test_a_dry_run_sends_nothing(sms_client: Any, gateway_url: str) -> None:
    answer = sms_client.send_text_message(
        DestinationPhoneNumber="+6283100000001", MessageBody="Halo", DryRun=True
    )
    assert answer["MessageId"]
    assert _messages(gateway_url) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"DestinationPhoneNumber": "0831-0000"}, "DestinationPhoneNumber"),
        ({"MessageBody": "x" * 1601}, "MessageBody"),
        ({"MessageBody": " "}, "MessageBody"),
        ({"MessageType": "LOUD"}, "MessageType"),
        ({"Context": {str(key): "x" for key in range(6)}}, "Context"),
        ({"Context": {"message": "x" * 801}}, "Context.message"),
    ],
)
def test_a_request_that_aws_refuses_is_refused(
    changed: dict[str, Any], field: str, sms_client: Any, gateway_url: str
) -> None:
    request = {"DestinationPhoneNumber": "+6283100000001", "MessageBody": "Halo"} | changed
    with pytest.raises(ClientError) as refused:
        sms_client.send_text_message(**request)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert _read_error(refused)["Reason"] == "FIELD_VALIDATION_FAILED"
    assert [each["Name"] for each in _read_error(refused)["Fields"]] == [field]
    assert _messages(gateway_url) == []


def test_an_operation_that_is_not_faked_is_unknown(sms_client: Any) -> None:
    with pytest.raises(ClientError, match="UnknownOperationException"):
        sms_client.describe_phone_numbers()


@pytest.mark.parametrize(
    ("body", "code"),
    [("{}", "ValidationException"), ("[]", "ValidationException"), ("{", "SerializationException")],
)
def test_a_malformed_request_is_refused_with_an_error_of_aws(body: str, code: str, gateway_url: str) -> None:
    answer = _send(gateway_url, body)
    assert answer.status_code == 400
    assert answer.json()["__type"] == answer.headers["x-amzn-ErrorType"] == code


def test_a_request_without_a_target_is_refused(gateway_url: str) -> None:
    assert _send(gateway_url, "{}", target="").json()["__type"] == "UnknownOperationException"


@pytest.mark.parametrize("header", [("Content-Length", "99999999"), ("Transfer-Encoding", "chunked")])
def test_a_body_of_unknown_or_excessive_length_is_refused(header: tuple[str, str], gateway_url: str) -> None:
    connection = HTTPConnection(httpx.URL(gateway_url).netloc.decode(), timeout=10)
    connection.putrequest("POST", "/")
    connection.putheader(*header)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_the_page_shows_each_phone_and_escapes_bodies(sms_client: Any, gateway_url: str) -> None:
    sms_client.send_text_message(
        DestinationPhoneNumber="+6283100000001", MessageBody="<script>alert(1)</script>"
    )
    sms_client.send_text_message(DestinationPhoneNumber="+6283100000002", MessageBody="Halo")
    page = httpx.get(gateway_url)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "2 SMS on 2 phones" in page.text
    assert page.text.index("+6283100000002") < page.text.index("+6283100000001")
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


def test_the_health_check_answers_and_unknown_paths_do_not(gateway_url: str) -> None:
    assert httpx.get(f"{gateway_url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{gateway_url}/nothing").status_code == 404


def test_a_number_on_the_opt_out_list_gets_no_sms(sms_client: Any, gateway_url: str) -> None:
    listed = {"OptOutListName": "Default", "OptedOutNumber": "+6283100000001"}
    sms_client.put_opted_out_number(**listed)
    assert [
        each["OptedOutNumber"]
        for each in sms_client.describe_opted_out_numbers(
            OptOutListName="Default", OptedOutNumbers=["+6283100000001"]
        )["OptedOutNumbers"]
    ] == ["+6283100000001"]
    with pytest.raises(ClientError) as refused:
        sms_client.send_text_message(DestinationPhoneNumber="+6283100000001", MessageBody="Halo")
    assert _read_error(refused)["Reason"] == "DESTINATION_PHONE_NUMBER_OPTED_OUT"
    assert _messages(gateway_url) == []

    sms_client.delete_opted_out_number(**listed)

    sms_client.send_text_message(DestinationPhoneNumber="+6283100000001", MessageBody="Halo")
    assert len(_messages(gateway_url)) == 1


@pytest.mark.parametrize(
    ("request_fields", "missing"),
    [
        ({"OptOutListName": "Default", "OptedOutNumbers": ["+6283100000001"]}, "opted-out-number"),
        ({"OptOutListName": "Another"}, "opt-out-list"),
    ],
)
def test_an_unknown_number_or_list_is_an_error_of_aws(
    request_fields: dict[str, Any], missing: str, sms_client: Any
) -> None:
    with pytest.raises(ClientError) as refused:
        sms_client.describe_opted_out_numbers(**request_fields)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert _read_error(refused)["ResourceType"] == missing
