"""The lengths of sealed values: the same for every income, and no number of digits or letters."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.schemas import AskForQuote
from chalicelib.contributions.service import QuoteService
from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from chalicelib.registrations.captures import Capture
from chalicelib.registrations.model import Registration
from chalicelib.registrations.store_items import (
    build_capture,
    build_registration,
    parse_capture,
    parse_registration,
)
from chalicelib.registrations.worker import Work
from tests.support.builders import NOW
from tests.support.lifecycle_events import make_payment, make_payment_code
from tests.support.registration_builders import make_capture, make_registration

CIPHER = FieldCipher(lambda: FieldKeys("2024-10", {"2024-10": bytes(32)}))
QUOTES = QuoteService(rules=load_rules(), clock=lambda: NOW)
incomes = st.integers(min_value=0, max_value=1_000_000_000)
amounts = st.integers(min_value=1, max_value=10_000_000_000)
words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=32)


def make_records(income: int, amount: int) -> tuple[Registration, Capture]:
    """Return a paid registration with an income, and the capture that made it."""
    registration = make_registration()
    quote = QUOTES.quote(
        AskForQuote(
            monthly_income=income,
            occupations=("porter",),
            employs_others=False,
            programmes=("JKK", "JKM", "JHT"),
            months=12,
            payer="self",
        )
    )
    code, payment = make_payment_code(amount=amount), make_payment(amount=amount)
    lifecycle = registration.lifecycle.with_payment_code(code, occurred_at=NOW, client_id="core")
    lifecycle = lifecycle.with_payment(payment, occurred_at=NOW, client_id="core")
    assert isinstance(registration.work, Work)
    work = registration.work.model_copy(update={"monthly_income": income})
    capture = make_capture(registration.capture_metadata)
    assert capture.answer is not None
    return (
        replace(registration, lifecycle=lifecycle, work=work, quote=quote),
        replace(capture, answer=replace(capture.answer, quote=quote)),
    )


def measure_sealed(values: Any) -> Any:
    """Return the lengths of sealed values, in the shape of the item."""
    if isinstance(values, bytes):
        return len(values)
    if isinstance(values, dict):
        return {name: measure_sealed(value) for name, value in values.items()}
    return None


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as a table keeps them."""
    return {name: value for name, value in values.items() if value is not None}


@given(income=incomes, amount=amounts, other_income=incomes, other_amount=amounts)
def test_sealed_values_have_the_same_lengths_for_every_income_and_amount(
    income: int, amount: int, other_income: int, other_amount: int
) -> None:
    lengths = []
    for registration, capture in (make_records(income, amount), make_records(other_income, other_amount)):
        items = build_registration(registration, CIPHER), build_capture(capture, CIPHER)
        lengths.append([measure_sealed(item) for item in items])

    assert lengths[0] == lengths[1]


@given(name=words, other_name=words)
def test_the_length_of_a_short_text_is_not_seen(name: str, other_name: str) -> None:
    lengths = [
        measure_sealed(build_registration(make_registration(name=each, address=each), CIPHER))
        for each in (name, other_name)
    ]
    assert lengths[0] == lengths[1]


@given(income=incomes, amount=amounts)
def test_what_is_padded_is_read_as_it_was(income: int, amount: int) -> None:
    registration, capture = make_records(income, amount)

    stored_registration = without_none(build_registration(registration, CIPHER))
    assert parse_registration(stored_registration, CIPHER) == registration
    assert parse_capture(without_none(build_capture(capture, CIPHER)), CIPHER) == capture
