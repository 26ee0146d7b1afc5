"""The services that count campaign days, from a container."""

from typing import TYPE_CHECKING

from chalicelib.notifications.counting import LedgerSmsCounter
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.due import DueDayFinder
from chalicelib.rollups.service import RollUpService

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_due_day_finder(container: "Container") -> DueDayFinder:
    """Return the service that finds the days to count."""
    return DueDayFinder(
        due_list=container.due_list,
        dirty_days=container.counting_state,
        headlines=container.summary_store,
        campaigns=container.campaigns,
        clock=container.clock,
    )


def build_roll_up_service(container: "Container") -> RollUpService:
    """Return the service that counts days."""
    settings = container.settings
    return RollUpService(
        facts=container.reading_store,
        campaigns=container.campaigns,
        summaries=container.summary_store,
        counting_state=container.counting_state,
        sms_counter=LedgerSmsCounter(container.sms_ledger),
        thresholds=AnomalyThresholds(
            peer_ratio=settings.anomaly_peer_ratio,
            min_workers=settings.anomaly_min_workers,
            min_peers=settings.anomaly_min_peers,
            run_length=settings.anomaly_run_length,
            max_run_gap=settings.anomaly_max_run_gap,
        ),
        review_summary=container.review_watcher.review_summary,
        silent_devices=container.review_watcher.devices,
        clock=container.clock,
    )
