"""Twilio's callbacks: who proves to be Twilio, by the word of its own SDK, and what is read from them."""

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
    build_callback_url,
    compute_signature,
    is_signed,
    parse_form,
    parse_sms_id,
)

TOKEN = "12345"
MESSAGE = SmsId("0123456789abcdef0123456789abcdef")
URL = build_callback_url("https://api.daftar.example/api", MESSAGE)
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)

FORMS = st.dictionaries(
    st.text(max_size=12), st.lists(st.text(max_size=12), min_size=1, max_size=3), max_size=6
)


def a_form(**changes: str) -> dict[str, list[str]]:
    """What Twilio reports."""
    form = {
        "AccountSid": "AC0000000000000000000000000000da17",
        "MessageSid": "SM0123456789abcdef0123456789abcdef",
        "MessageStatus": "delivered",
        "From": "BPJAMSOSTEK",
        "To": "+6282455507001",
        **changes,
    }
    return {name: [value] for name, value in form.items()}


@given(form=FORMS)
def test_our_signature_is_that_of_twilios_own_sdk(form: dict[str, list[str]]) -> None:
    assert compute_signature(URL, form, TOKEN) == RequestValidator(TOKEN).compute_signature(
        URL, MultiDict(form)
    )


@given(form=FORMS)
def test_twilios_own_sdk_accepts_what_we_sign(form: dict[str, list[str]]) -> None:
    assert RequestValidator(TOKEN).validate(URL, MultiDict(form), compute_signature(URL, form, TOKEN))


@given(form=FORMS)
def test_what_twilios_own_sdk_signs_is_accepted_as_it_travels(form: dict[str, list[str]]) -> None:
    body = urlencode(form, doseq=True).encode()
    travelled = parse_form(body)
    assert travelled == form
    assert is_signed(URL, travelled, RequestValidator(TOKEN).compute_signature(URL, MultiDict(form)), TOKEN)


def test_the_vector_that_twilio_publishes_is_reproduced() -> None:
    """From twilio-python's own tests: parameters in order, a query in the URL."""
    form = {
        "CallSid": ["CA1234567890ABCDE"],
        "Digits": ["1234"],
        "From": ["+14158675309"],
        "To": ["+18005551212"],
        "Caller": ["+14158675309"],
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert compute_signature(url, form, TOKEN) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_values_of_one_name_are_signed_once_each_and_in_order() -> None:
    """A bug of many: the order in which they came is not the order in which they are signed."""
    assert compute_signature(URL, {"MediaUrl": ["b", "a", "b"]}, TOKEN) == compute_signature(
        URL, {"MediaUrl": ["a", "b"]}, TOKEN
    )


def test_blank_parameters_are_signed_too() -> None:
    form = parse_form(b"Body=&MessageSid=SM1")
    assert form == {"Body": [""], "MessageSid": ["SM1"]}
    assert compute_signature(URL, form, TOKEN) != compute_signature(URL, {"MessageSid": ["SM1"]}, TOKEN)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("https://api.example/r", "https://api.example:443/r"),
        ("https://api.example:443/r", "https://api.example/r"),
        ("http://api.example/r", "http://api.example:80/r"),
        ("http://127.0.0.1:8321/r", "http://127.0.0.1:8321/r"),
    ],
)
def test_default_port_may_be_written_or_left_out(ours: str, theirs: str) -> None:
    assert is_signed(ours, a_form(), compute_signature(theirs, a_form(), TOKEN), TOKEN)


@pytest.mark.parametrize("given_signature", ["", "x", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "é"])
def test_other_signatures_are_refused(given_signature: str) -> None:
    assert not is_signed(URL, a_form(), given_signature, TOKEN)


def test_signature_covers_token_url_and_every_parameter() -> None:
    good = compute_signature(URL, a_form(), TOKEN)
    assert is_signed(URL, a_form(), good, TOKEN)
    assert not is_signed(URL, a_form(), good, "54321")
    assert not is_signed(URL.replace("api.daftar", "api.evil"), a_form(), good, TOKEN)
    assert not is_signed(URL.replace("https", "http"), a_form(), good, TOKEN)
    assert not is_signed(URL[:-1] + "0", a_form(), good, TOKEN)
    assert not is_signed(URL, a_form(MessageStatus="failed"), good, TOKEN)
    assert not is_signed(URL, a_form(New="1"), good, TOKEN)


def test_id_that_the_url_echoes_is_ours_or_nothing() -> None:
    assert parse_sms_id({"sms_id": MESSAGE}) == MESSAGE
    assert parse_sms_id({}) is None
    assert parse_sms_id({"sms_id": "1"}) is None
    assert parse_sms_id({"sms_id": MESSAGE, "more": "1"}) is None


@pytest.mark.parametrize("body", [b"\xff", b"&".join(b"%d=1" % number for number in range(101))])
def test_what_is_no_form_is_not_read(body: bytes) -> None:
    assert parse_form(body) is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        *(("sent", "sent"), ("delivered", "delivered"), ("read", "delivered")),
        *(("undelivered", "failed"), ("failed", "failed"), ("canceled", "failed")),
    ],
)
def test_each_status_is_a_fact_for_the_ledger(status: str, state: str) -> None:
    receipt = twilio_callbacks.parse_receipt(MESSAGE, a_form(MessageStatus=status), AT)
    assert receipt is not None
    assert (receipt.state, receipt.sms_id, receipt.gateway) == (state, MESSAGE, "twilio")
    assert receipt.gateway_id == "SM0123456789abcdef0123456789abcdef"
    assert (receipt.occurred_at, receipt.reason, receipt.opted_out) == (AT, None, False)


def test_failure_says_why_and_whether_the_worker_opted_out() -> None:
    def reported(code: str) -> tuple[str | None, bool]:
        receipt = twilio_callbacks.parse_receipt(MESSAGE, a_form(MessageStatus="failed", ErrorCode=code), AT)
        assert receipt is not None
        return receipt.reason, receipt.opted_out

    assert reported("30003") == ("30003", False)
    assert reported("21610") == ("21610", True)


@pytest.mark.parametrize(
    "changes", [{"MessageStatus": "queued"}, {"MessageStatus": "new"}, {"MessageSid": ""}], ids=str
)
def test_what_the_ledger_has_no_use_for_is_no_receipt(changes: dict[str, str]) -> None:
    assert twilio_callbacks.parse_receipt(MESSAGE, a_form(**changes), AT) is None


def test_status_said_twice_over_is_no_receipt() -> None:
    form = {**a_form(), "MessageStatus": ["sent", "failed"]}
    assert twilio_callbacks.parse_receipt(MESSAGE, form, AT) is None
