"""Twilio's callbacks: signatures, compared with Twilio's own SDK, and receipts."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from chalicelib.messaging import twilio_callbacks
from chalicelib.messaging.model import SmsId
from chalicelib.messaging.twilio_callbacks import (
    Form,
    build_callback_url,
    compute_signature,
    is_signed,
    parse_form,
    parse_sms_id,
)

TOKEN = "12345"
SMS_ID = SmsId("0123456789abcdef0123456789abcdef")
URL = build_callback_url("https://api.daftar.example/api", SMS_ID)
OCCURRED_AT = datetime(2026, 11, 22, 9, tzinfo=UTC)

FORMS = st.dictionaries(
    st.text(max_size=12), st.lists(st.text(max_size=12), min_size=1, max_size=3), max_size=6
)


def make_form(**changes: str) -> dict[str, list[str]]:
    """Return the form of a callback."""
    form = {
        "AccountSid": "AC0000000000000000000000000000da17",
        "MessageSid": "SM0123456789abcdef0123456789abcdef",
        "MessageStatus": "delivered",
        "From": "BPJAMSOSTEK",
        "To": "+6282455507001",
        **changes,
    }
    return {name: [value] for name, value in form.items()}


def to_multi_dict(form: Form) -> MultiDict[str, str]:
    return MultiDict([(name, value) for name, values in form.items() for value in values])


@given(form=FORMS)
def test_signature_equals_that_of_the_twilio_sdk(form: dict[str, list[str]]) -> None:
    assert compute_signature(URL, form, TOKEN) == RequestValidator(TOKEN).compute_signature(
        URL, to_multi_dict(form)
    )


@given(form=FORMS)
def test_twilio_sdk_accepts_the_signature(form: dict[str, list[str]]) -> None:
    assert RequestValidator(TOKEN).validate(URL, to_multi_dict(form), compute_signature(URL, form, TOKEN))


@given(form=FORMS)
def test_signature_of_the_twilio_sdk_is_accepted_after_encoding(form: dict[str, list[str]]) -> None:
    body = urlencode(form, doseq=True).encode()
    parsed = parse_form(body)
    assert parsed == form
    assert is_signed(URL, parsed, RequestValidator(TOKEN).compute_signature(URL, to_multi_dict(form)), TOKEN)


def test_published_test_vector_is_reproduced() -> None:
    """The vector is from twilio-python's own tests."""
    form = {
        "CallSid": ["CA1234567890ABCDE"],
        "Digits": ["1234"],
        "From": ["+14158675309"],
        "To": ["+18005551212"],
        "Caller": ["+14158675309"],
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert compute_signature(url, form, TOKEN) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_values_of_one_name_are_signed_once_each_and_sorted() -> None:
    assert compute_signature(URL, {"MediaUrl": ["b", "a", "b"]}, TOKEN) == compute_signature(
        URL, {"MediaUrl": ["a", "b"]}, TOKEN
    )


def test_empty_parameters_are_signed() -> None:
    form = parse_form(b"Body=&MessageSid=SM1")
    assert form == {"Body": [""], "MessageSid": ["SM1"]}
    assert compute_signature(URL, form, TOKEN) != compute_signature(URL, {"MessageSid": ["SM1"]}, TOKEN)


@pytest.mark.parametrize(
    ("url", "signed_url"),
    [
        ("https://api.example/r", "https://api.example:443/r"),
        ("https://api.example:443/r", "https://api.example/r"),
        ("http://api.example/r", "http://api.example:80/r"),
        ("http://127.0.0.1:8321/r", "http://127.0.0.1:8321/r"),
    ],
)
def test_default_port_may_be_written_or_left_out(url: str, signed_url: str) -> None:
    assert is_signed(url, make_form(), compute_signature(signed_url, make_form(), TOKEN), TOKEN)


@pytest.mark.parametrize("signature", ["", "x", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "é"])
def test_other_signatures_are_refused(signature: str) -> None:
    assert not is_signed(URL, make_form(), signature, TOKEN)


def test_signature_covers_token_url_and_every_parameter() -> None:
    signature = compute_signature(URL, make_form(), TOKEN)
    assert is_signed(URL, make_form(), signature, TOKEN)
    assert not is_signed(URL, make_form(), signature, "54321")
    assert not is_signed(URL.replace("api.daftar", "api.evil"), make_form(), signature, TOKEN)
    assert not is_signed(URL.replace("https", "http"), make_form(), signature, TOKEN)
    assert not is_signed(URL[:-1] + "0", make_form(), signature, TOKEN)
    assert not is_signed(URL, make_form(MessageStatus="failed"), signature, TOKEN)
    assert not is_signed(URL, make_form(New="1"), signature, TOKEN)


def test_sms_id_is_parsed_from_a_callback_url_only() -> None:
    assert parse_sms_id({"sms_id": SMS_ID}) == SMS_ID
    assert parse_sms_id({}) is None
    assert parse_sms_id({"sms_id": "1"}) is None
    assert parse_sms_id({"sms_id": SMS_ID, "more": "1"}) is None


@pytest.mark.parametrize("body", [b"\xff", b"&".join(b"%d=1" % number for number in range(101))])
def test_body_that_is_not_a_form_is_refused(body: bytes) -> None:
    assert parse_form(body) is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        *(("sent", "sent"), ("delivered", "delivered"), ("read", "delivered")),
        *(("undelivered", "failed"), ("failed", "failed"), ("canceled", "failed")),
    ],
)
def test_status_gives_the_state_of_the_receipt(status: str, state: str) -> None:
    receipt = twilio_callbacks.parse_receipt(SMS_ID, make_form(MessageStatus=status), OCCURRED_AT)
    assert receipt is not None
    assert (receipt.state, receipt.sms_id, receipt.gateway) == (state, SMS_ID, "twilio")
    assert receipt.gateway_id == "SM0123456789abcdef0123456789abcdef"
    assert (receipt.occurred_at, receipt.reason, receipt.opted_out) == (OCCURRED_AT, None, False)


def test_failed_receipt_has_a_reason_and_the_opt_out() -> None:
    def parse(code: str) -> tuple[str | None, bool]:
        receipt = twilio_callbacks.parse_receipt(
            SMS_ID, make_form(MessageStatus="failed", ErrorCode=code), OCCURRED_AT
        )
        assert receipt is not None
        return receipt.reason, receipt.opted_out

    assert parse("30003") == ("30003", False)
    assert parse("21610") == ("21610", True)


@pytest.mark.parametrize(
    "changes", [{"MessageStatus": "queued"}, {"MessageStatus": "new"}, {"MessageSid": ""}], ids=str
)
def test_other_callbacks_are_no_receipts(changes: dict[str, str]) -> None:
    assert twilio_callbacks.parse_receipt(SMS_ID, make_form(**changes), OCCURRED_AT) is None


def test_repeated_status_parameter_is_no_receipt() -> None:
    form = {**make_form(), "MessageStatus": ["sent", "failed"]}
    assert twilio_callbacks.parse_receipt(SMS_ID, form, OCCURRED_AT) is None
