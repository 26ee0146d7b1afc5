"""A drill on the emulator: register synthetic workers, lose some, restore, and see what came back."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from chalicelib.callers import Role
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import utc_now
from chalicelib.notifications.model import SETTLED_STATES
from ops.api_client import ApiClient
from ops.commands.sms import make_ledger
from ops.deploy.deployment import STAGES_DIR
from ops.deploy.smoke_test import call
from ops.deploy.stage_record import make_api_url, make_emulator_url
from ops.deploy.stages import Stage
from ops.deploy.synthetic import ZONE, make_campaign, make_capture, make_nik, make_phone, open_clients
from ops.errors import OperationError
from ops.restore.bringing_back import Restoration
from ops.restore.copies import ScannedCopies
from ops.restore.items import get_key, iter_pages, write_items
from ops.restore.restoration import restore

_BATCH_SIZE = 50
_NO_CAP = 1_000_000
_SMS_BUDGET = 100_000_000
_SMS_SECONDS_EACH, _SMS_SECONDS = 0.5, 120
_POLL_SECONDS = 0.5


@dataclass
class Drill:
    """A drill that was run. Each check is a figure that was found, and what it should be."""

    moment: datetime
    restoration: Restoration
    checks: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def get_figures(self) -> dict[str, Any]:
        """Return what was found, by the check."""
        return {name: found for name, (found, _) in self.checks.items()}

    def describe(self) -> list[str]:
        """Return a line for each check."""
        return [f"drill: {name}: {found}" for name, (found, _) in self.checks.items()]

    def find_failure(self) -> str | None:
        """Return the checks that failed, None if there is none."""
        failed = [
            f"{name}: {found}, not {wanted}"
            for name, (found, wanted) in self.checks.items()
            if found != wanted
        ]
        return "; ".join(failed) or None


class _Market:
    """The drill's campaign, with its clients."""

    def __init__(self, stage: Stage, campaign_id: str, apis: dict[Role, ApiClient]) -> None:
        self._stage = stage
        self._apis = apis
        self._ledger = make_ledger(stage)
        self.campaign_id = campaign_id
        self.day = utc_now().astimezone(ZONE).date()
        call(
            apis[Role.MANAGER],
            "POST",
            "/v1/campaigns",
            make_campaign(campaign_id, self.day, sms_budget=_SMS_BUDGET),
        )

    def make_captures(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        now = utc_now()
        return [
            make_capture(self.campaign_id, number, now, phone=make_phone(number), sequence=number + 1)
            for number in numbers
        ]

    def register(self, captures: Sequence[dict[str, Any]]) -> Counter[str]:
        """Send captures as their device. Return the outcomes."""
        outcomes: Counter[str] = Counter()
        for start in range(0, len(captures), _BATCH_SIZE):
            body = {"items": captures[start : start + _BATCH_SIZE]}
            answer = call(self._apis[Role.KIOSK], "POST", "/v1/registrations/batch", body)
            outcomes.update(each.get("outcome", "") for each in answer["results"])
        return outcomes

    def erase(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            request = {"request_id": str(uuid4()), "nik": make_nik(number), "reason": "worker_request"}
            call(self._apis[Role.ADMIN], "POST", "/v1/erasures", request)

    def count_held(self, numbers: Sequence[int]) -> int:
        """Return how many of these workers something is held on."""
        count = 0
        for number in numbers:
            request = {"request_id": str(uuid4()), "nik": make_nik(number)}
            answer = call(self._apis[Role.ADMIN], "POST", "/v1/disclosures", request)
            count += answer["request"]["outcome"] != "nothing_held"
        return count

    def count_day(self) -> int:
        path = f"/v1/campaigns/{self.campaign_id}/summaries/{self.day}"
        return int(call(self._apis[Role.MANAGER], "POST", path)["counts"]["created"])

    def await_sms(self, count: int) -> None:
        """Wait until so many SMS of the day are settled. Raise OperationError."""
        deadline = time.monotonic() + _SMS_SECONDS + count * _SMS_SECONDS_EACH
        settled = 0
        while time.monotonic() < deadline:
            facts = self._ledger.iter_day_facts(CampaignDay(self.campaign_id, self.day))
            settled = sum(each.state in SETTLED_STATES for each in facts)
            if settled >= count:
                return
            time.sleep(_POLL_SECONDS)
        raise OperationError(f"{settled} of {count} SMS were settled in time", code="drill_failed")

    def count_repeated_sms(self) -> int:
        """Return how many SMS went out more than once: in several copies, or by several rows."""
        rows: Counter[str] = Counter()
        for item in self._iter_items("SmsLedgerTable"):
            if "reference" in item and item["campaign_id"]["S"] == self.campaign_id:
                rows[item["reference"]["S"]] += max(len(item.get("sends", {}).get("M", {})), 1)
        return sum(count - 1 for count in rows.values())

    def lose_registrations(self, count: int) -> None:
        """Delete some registrations, as a mishap would."""
        lost = [get_key(item, ("pk", "sk")) for item in self._iter_registrations()][:count]
        write_items(
            self._stage.aws_client("dynamodb"), self._stage.outputs["RegistrationsTableName"], [], lost
        )

    def count_registrations(self) -> int:
        return sum(1 for _ in self._iter_registrations())

    def _iter_registrations(self) -> Iterator[dict[str, Any]]:
        for item in self._iter_items("RegistrationsTable"):
            is_registration = item["sk"]["S"] == "APPLICATION" and "sealed" in item
            if is_registration and item["taken"]["M"]["campaign_id"]["S"] == self.campaign_id:
                yield item

    def _iter_items(self, table: str) -> Iterator[dict[str, Any]]:
        for page in iter_pages(self._stage.aws_client("dynamodb"), self._stage.outputs[f"{table}Name"]):
            yield from page


def run_drill(stage: Stage, workers: int, *, on_step: Callable[[str], object]) -> Drill:
    """Register `workers`, take copies, lose some, restore. The campaign `drill-...` stays."""
    campaign_id = f"drill-{utc_now():%Y%m%d-%H%M%S}"
    later, erased = max(1, workers // 20), max(1, workers // 100)
    with open_clients(stage, _find_api_url(stage), campaign_id, daily_cap=_NO_CAP) as apis:
        market = _Market(stage, campaign_id, apis)
        on_step(f"registering {workers} synthetic workers")
        registered = market.register(market.make_captures(range(workers)))
        on_step("copying the tables, while SMS are still being sent")
        moment = utc_now()
        copies = ScannedCopies()
        copies.take(stage, moment)
        on_step(f"registering {later} more, erasing {erased}, losing {workers // 4}")
        late_captures = market.make_captures(range(workers, workers + later))
        market.register(late_captures)
        market.await_sms(workers + later)
        market.erase(range(erased))
        market.lose_registrations(workers // 4)
        before = market.count_registrations()
        done = restore(stage, moment, copies=copies, directory=STAGES_DIR, on_step=on_step)
        on_step("looking at what came back, and sending again what was lost")
        drill = Drill(moment, done)
        drill.checks = {
            "workers registered": (registered["created"], workers),
            "registrations left by the mishap": (before, workers - erased + later - workers // 4),
            "registrations after the restore": (market.count_registrations(), workers - erased),
            "erased people who came back": (market.count_held(range(erased)), 0),
            "numbers to send again": (
                done.losses.list_runs(),
                [{"client_id": f"{campaign_id}-kiosk", "first": workers + 1, "last": workers + later}],
            ),
            "registered again": (market.register(late_captures)["created"], later),
        }
        # Those of the lost captures, and of the same workers under their new references.
        market.await_sms(workers + 2 * later)
        drill.checks["SMS that went out twice"] = (market.count_repeated_sms(), 0)
        drill.checks["workers in the day's summary"] = (market.count_day(), workers + later)
    return drill


def _find_api_url(stage: Stage) -> str:
    if stage.is_local:
        return make_emulator_url(str(stage.aws_client("dynamodb").meta.endpoint_url), stage)
    return make_api_url(stage)
