"""The state of a registration for its worker, and one answer for everybody else."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.languages import LANGUAGES
from chalicelib.registrations import references
from chalicelib.registrations.errors import RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.references import Reference
from chalicelib.statuses.schemas import AskForStatus
from chalicelib.statuses.service import ANSWER_TIME, StatusService
from chalicelib.statuses.texts import STATES, RegistrationState, load_texts
from tests.support.builders import NOW
from tests.support.fakes.clock import FixedClock
from tests.support.registration_builders import make_registration as make_any_registration

NOT_FOUND = (RegistrationState.NOT_FOUND, None)
REFERENCE = references.generate(lambda below: below // 3)


def make_registration() -> Registration:
    return make_any_registration(REFERENCE)


class OneRegistration:
    """Holds one registration; each read takes a while of the clock."""

    def __init__(self, registration: Registration | None, clock: FixedClock, took: timedelta) -> None:
        self._registration = registration
        self._clock = clock
        self._took = took

    def get(self, reference: Reference) -> Registration:
        self._clock.advance(self._took)
        if self._registration is None or reference != self._registration.reference:
            raise RegistrationUnknown("no such")
        return self._registration


class Stopwatch:
    """A service with one registration, and the time that its answers took."""

    def __init__(
        self, registration: Registration | None, took: timedelta = timedelta(milliseconds=8)
    ) -> None:
        self.clock = FixedClock(NOW)
        registrations = OneRegistration(registration, self.clock, took)
        self._service = StatusService(registrations=registrations, clock=self.clock, sleep=self.clock.advance)

    def find_state(
        self, reference: str = str(REFERENCE), phone: str = ""
    ) -> tuple[RegistrationState, date | None]:
        found = self._service.find_status(AskForStatus(reference=reference, phone=phone))
        return found.state, found.active_until

    @property
    def duration(self) -> timedelta:
        return self.clock() - NOW


def get_phone(registration: Registration) -> str:
    assert registration.worker.phone is not None
    return str(registration.worker.phone)


def test_a_worker_learns_the_state_by_reference_and_phone() -> None:
    registration = make_registration()
    local_form = get_phone(registration).replace("+62", "0")
    assert Stopwatch(registration).find_state(phone=local_form) == (RegistrationState.RECEIVED, None)
    assert Stopwatch(registration).find_state(
        str(REFERENCE).lower().replace("-", " "), get_phone(registration)
    ) == (
        RegistrationState.RECEIVED,
        None,
    )


@pytest.mark.parametrize(
    ("reference", "phone"),
    [
        (str(REFERENCE), "0824-5550-0001"),
        (str(REFERENCE), ""),
        (str(REFERENCE), "not a number"),
        ("222-222-222", None),
        ("", None),
        ("nothing", None),
    ],
)
def test_whatever_does_not_match_gets_one_answer_after_the_same_time(
    reference: str, phone: str | None
) -> None:
    registration = make_registration()
    matching = Stopwatch(registration)
    matching.find_state(phone=get_phone(registration))
    asked = Stopwatch(registration)

    assert asked.find_state(reference, get_phone(registration) if phone is None else phone) == NOT_FOUND
    assert asked.duration == matching.duration == ANSWER_TIME


def test_a_registration_without_a_phone_is_told_to_nobody() -> None:
    registration = make_registration()
    without = replace(registration, worker=replace(registration.worker, phone=None))
    assert Stopwatch(without).find_state(phone=get_phone(registration)) == NOT_FOUND


def test_a_destroyed_registration_is_not_found() -> None:
    registration = make_registration()

    class Destroyed:
        def get(self, reference: Reference) -> Registration:
            raise RegistrationDestroyed(reference, campaign_id="c", follows=None)

    clock = FixedClock(NOW)
    service = StatusService(registrations=Destroyed(), clock=clock, sleep=clock.advance)
    question = AskForStatus(reference=str(REFERENCE), phone=get_phone(registration))
    assert service.find_status(question).state == NOT_FOUND[0]


def test_a_read_that_takes_longer_is_not_made_longer_still() -> None:
    slow = Stopwatch(make_registration(), took=timedelta(seconds=1))
    slow.find_state(phone=get_phone(make_registration()))
    assert slow.duration == timedelta(seconds=1)


def test_every_status_has_a_state_and_every_state_a_text_in_every_language() -> None:
    assert set(STATES) == set(Status)
    assert set(load_texts()) == set(RegistrationState)
    for by_language in load_texts().values():
        assert set(by_language) == set(LANGUAGES)
        assert len(set(by_language.values())) == len(LANGUAGES)


@pytest.mark.parametrize("state", [RegistrationState.RECEIVED, RegistrationState.AWAITING_PAYMENT])
def test_who_has_not_paid_is_told_not_to_be_protected_yet(state: RegistrationState) -> None:
    assert "belum terlindungi" in load_texts()[state]["id"]
    assert "not protected" in load_texts()[state]["en"]
