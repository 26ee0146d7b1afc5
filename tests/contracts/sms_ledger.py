"""Steps of the tests of the SMS ledger."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from chalicelib.aws.items import from_item
from chalicelib.conflicts import WriteConflict
from tests.contracts.conftest import Engine
from tests.support.sms_stores import SmsStores

RACERS = 12


def make_stores(engine: Engine) -> SmsStores:
    return SmsStores(
        engine.client,
        sms_table=engine.create_table("SmsLedgerTable"),
        sending_table=engine.create_table("SendingTable"),
    )


def committed(engine: Engine) -> int:
    """Return the rupiah committed of the first day's budget."""
    items = [from_item(item) for item in engine.scan_items()]
    return sum(int(item["committed"]) for item in items if "committed" in item)


def count_winners(race: Callable[[int], bool]) -> int:
    """Run `race` concurrently. Return how many return True. Repeat after conflicts, as the service does."""

    def run(number: int) -> bool:
        for _ in range(50):
            try:
                return race(number)
            except WriteConflict:
                continue
        raise AssertionError("too many conflicts")

    with ThreadPoolExecutor(RACERS) as threads:
        return sum(threads.map(run, range(RACERS)))
