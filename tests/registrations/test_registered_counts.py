"""The registered workers of a day, whatever becomes of them, agree with an independent count."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.registrations.references import Reference
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.model import Tally
from tests.registrations.conftest import RegistrationHarness
from tests.support.builders import NOW
from tests.support.day_tally import count_facts
from tests.support.registration_builders import FIRST_DAY

EVENTS = ("register", "register", "register", "cancel", "cancel", "erase", "wait")

# Two of these waits end before the personal fields of the first ended application are destroyed.
EXPIRY, MAX_WAITS = 31, 2


@dataclass
class Application:
    """What is known of an application without counting: who took it, and if it was cancelled."""

    reference: Reference
    officer: str
    is_reactivated: bool
    is_cancelled: bool = False


class Day:
    """A day of some workers who register, cancel, register again and have their data erased."""

    def __init__(self, harness: RegistrationHarness) -> None:
        self.harness = harness
        self.applications: list[Application] = []
        self.latest: dict[int, Application] = {}
        self.open: set[int] = set()
        self.captures = self.waits = 0

    def happen(self, event: str, worker: int, officer: str) -> None:
        """Let one thing happen to a worker, through the services."""
        match event:
            case "register":
                self.captures += 1
                answer = self.harness.submit(self.captures, nik_number=worker, officer=officer)
                if worker not in self.open:
                    application = Application(answer.reference, officer, worker in self.latest)
                    self.applications.append(application)
                    self.latest[worker] = application
                    self.open.add(worker)
            case "cancel" if worker in self.open:
                self.harness.cancel(self.latest[worker].reference)
                self.latest[worker].is_cancelled = True
                self.open.remove(worker)
            case "erase" if worker in self.latest:
                worker_key = self.harness.stores.reading.get(self.latest[worker].reference).worker_key
                self.harness.erasure_service.erase(
                    worker_key, received_before=self.harness.clock(), erase_attached=lambda _: None
                )
                del self.latest[worker]
                self.open.discard(worker)
            case "wait" if self.waits < MAX_WAITS:
                # Unpaid applications expire; what comes afterwards was captured on the day and arrives late.
                self.waits += 1
                self.harness.advance_days(EXPIRY)
                self.harness.age_due()
                self.open.clear()

    def count(self) -> Tally:
        return count_facts(self.harness.stores.reading.iter_day_facts(FIRST_DAY), AnomalyThresholds())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(
        st.tuples(st.sampled_from(EVENTS), st.integers(1, 3), st.sampled_from(["ofc-1", "ofc-2"])),
        max_size=14,
    )
)
def test_registered_workers_add_up_whatever_happens_to_them(
    harness: RegistrationHarness, events: list[tuple[str, int, str]]
) -> None:
    for item in harness.scan_items():
        harness.dynamodb.delete_item(TableName="RegistrationsTable", Key={n: item[n] for n in ("pk", "sk")})
    harness.clock.now = NOW
    day = Day(harness)
    for event in events:
        day.happen(*event)

    tally = day.count()

    registered = [each for each in day.applications if not each.is_cancelled]
    assert tally.counts.created == sum(not each.is_reactivated for each in day.applications)
    assert tally.counts.registered == len(registered)
    assert tally.by_officer == Counter(each.officer for each in registered)
    assert sum(tally.by_sex.values()) == sum(tally.by_client.values()) == len(registered)
    assert tally.funnel.cancelled == len(day.applications) - len(registered)
