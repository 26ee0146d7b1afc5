"""What is said on each occasion: from a registration as it stands now to the words of one text.

A text is true when it goes out, or it does not go out: where the registration has moved on since the event,
there are no words.
"""

from collections.abc import Callable, Mapping

from chalicelib.notifications.templates import Purpose, Template, day, rupiah
from chalicelib.registrations.lifecycle import ENDED, Event, Happening, Life, Status
from chalicelib.registrations.model import Registration

# Which news of a registration's life is told as what.
TOLD: Mapping[Happening, Purpose] = {
    Happening.PAYMENT_CODE_ISSUED: Purpose.PAYMENT_CODE,
    Happening.PAID: Purpose.ACTIVE,
    Happening.MISMATCHED: Purpose.MISMATCH,
    Happening.LAPSING_SOON: Purpose.LAPSING_SOON,
}


def words(wording: Template, occasion: int, registration: Registration) -> str | None:
    """The text that an event leads to; None if it is no longer true."""
    fields = _FIELDS[Purpose(wording.purpose)](registration, occasion)
    if fields is None:
        return None
    return wording.render(registration.worker.language, **{"name": registration.worker.name, **fields})


Fields = dict[str, str] | None


def _reference(registration: Registration, _: int) -> Fields:
    return {"reference": registration.reference}


def _open_reference(registration: Registration, _: int) -> Fields:
    return None if registration.life.status in ENDED else {"reference": registration.reference}


def _payment_code(registration: Registration, occasion: int) -> Fields:
    life = registration.life
    code = life.payment_code
    issued = [
        version for version, event in _versions(life) if event.happening is Happening.PAYMENT_CODE_ISSUED
    ]
    payable = life.status in {Status.AWAITING_PAYMENT, Status.ACTIVE, Status.LAPSED}
    paid_since = any(
        event.happening is Happening.PAID and version > occasion for version, event in _versions(life)
    )
    if code is None or issued[-1:] != [occasion] or not payable or paid_since:
        return None
    language = registration.worker.language
    return {
        "code": code.code,
        "amount": rupiah(code.amount),
        "until": day(code.expires_on, language),
    }


def _active(registration: Registration, occasion: int) -> Fields:
    life = registration.life
    paid = dict(_versions(life)).get(occasion)
    payment = next(
        (each for each in life.payments if paid and each.payment_id == paid.detail.get("payment_id")), None
    )
    if payment is None or life.status is not Status.ACTIVE or life.active_until is None:
        return None
    return {
        "amount": rupiah(payment.amount),
        "until": day(life.active_until, registration.worker.language),
    }


def _mismatch(registration: Registration, _: int) -> Fields:
    return {} if registration.life.status is Status.MISMATCH else None


def _lapsing_soon(registration: Registration, occasion: int) -> Fields:
    life = registration.life
    announced = dict(_versions(life)).get(occasion)
    still_true = announced is not None and announced.detail.get("paid_through") == life.paid_through
    if life.status is not Status.ACTIVE or not still_true or not (life.active_until and life.lapses_on):
        return None
    language = registration.worker.language
    return {"paid_until": day(life.active_until, language), "lapses_on": day(life.lapses_on, language)}


def _versions(life: Life) -> list[tuple[int, Event]]:
    """Each event with the version of the life that it made."""
    return list(enumerate(life.history, start=1))


_FIELDS: Mapping[Purpose, Callable[[Registration, int], Fields]] = {
    Purpose.RECEIVED: _reference,
    Purpose.PAYMENT_CODE: _payment_code,
    Purpose.ACTIVE: _active,
    Purpose.MISMATCH: _mismatch,
    Purpose.LAPSING_SOON: _lapsing_soon,
    Purpose.ALREADY_REGISTERED: _open_reference,
}
