"""Jobs that have to be done within a time, and how long they take. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.model.backlogs import drain, make_day
from bench.model.limits import Model, find_relay_limit
from chalicelib.registrations.schedule import CHANGED_AT_ONCE, SHUTDOWN_MARGIN_MS
from chalicelib.rollups.schedule import SHARE_OF_ONE_DAY, SHUTDOWN_MARGIN

_SECONDS_A_MINUTE, _SECONDS_A_HOUR = 60, 3_600
_MILLISECONDS = 1_000
_BYTES_A_GB = 1_000_000_000
# An export begins no day in the second half of a run.
_SHARE_OF_ONE_EXPORT = 0.5
_ROWS_A_REGISTRATION = 2
# A day of now, that of 30 days before, which expires, and that of 120 days before, which is deleted.
_DAYS_WITH_AGED = 3
# Every half an hour.
_AGEING_RUNS_A_DAY = 48
_RECORD_HOURS, _SMS_HOURS = 24, 96


@dataclass(frozen=True)
class TimedJob:
    """A job, the seconds that it needs and has, and what is changed where they are not enough."""

    name: str
    needed: float
    available: float
    remedy: str

    @property
    def fits(self) -> bool:
        return self.needed <= self.available


def list_jobs(model: Model) -> list[TimedJob]:
    """Return every job, that which fits least before the others."""
    jobs = [*_iter_counting(model), *_iter_daily(model), *_iter_backlogs(model)]
    return sorted(jobs, key=lambda job: -job.needed / job.available)


def _iter_counting(model: Model) -> Iterator[TimedJob]:
    load, timeouts = model.load, model.stage.timeouts
    run = timeouts["RollUpDueDays"] - SHUTDOWN_MARGIN.total_seconds()
    rows = load["largest_campaign_day"] * _ROWS_A_REGISTRATION
    yield TimedJob(
        f"Count of a day of {load['largest_campaign_day']:,.0f}, all of it changed",
        rows / load["counted_rows_a_second"],
        run * SHARE_OF_ONE_DAY,
        "beyond that, slices of the day that are kept while they do not change",
    )
    # Where whatever was registered comes to its end at its time, every day is changed twice more.
    for days, runs in ((1, 1), (1, model.stage.most_runs), (_DAYS_WITH_AGED, model.stage.most_runs)):
        yield TimedJob(
            f"Hourly count of {days * load['campaigns']:,.0f} small days {_name_runs(runs)}",
            days * load["campaigns"] * _count_small_day(model) / runs,
            run,
            f"RunsSideBySide {model.stage.most_runs}; what is longest due is first",
        )


def _count_small_day(model: Model) -> float:
    """Return the seconds of a count of a day with few registrations: it mostly waits for requests."""
    requests = model.counts["recount_20_registrations"]["dynamodb.requests"]
    load = model.load
    return (requests * load["dynamodb_milliseconds"] + load["small_day_cpu_milliseconds"]) / _MILLISECONDS


def _name_runs(runs: int) -> str:
    return "in one run" if runs == 1 else f"in {runs} runs side by side"


def _iter_daily(model: Model) -> Iterator[TimedJob]:
    load, timeouts = model.load, model.stage.timeouts
    day = sum(make_day(load))
    yield TimedJob(
        f"Export of a day of {load['largest_campaign_day']:,.0f}",
        load["largest_campaign_day"] / load["exported_rows_a_second"],
        timeouts["ExportDays"] * _SHARE_OF_ONE_EXPORT,
        "a file for each shard",
    )
    yield TimedJob(
        f"Exports of {load['campaigns']:,.0f} days, in a day",
        load["campaigns"] * _count_small_day(model) + day / load["exported_rows_a_second"],
        24 * timeouts["ExportDays"] * _SHARE_OF_ONE_EXPORT,
        "runs side by side, each with its part of the campaigns",
    )
    yield TimedJob(
        f"Restore of the registrations of {load['workers']:,.0f} workers",
        load["workers"]
        * load["bytes_a_registration"]
        / _BYTES_A_GB
        / model.quotas["restore_gb_an_hour"]
        * _SECONDS_A_HOUR,
        load["restore_hours_allowed"] * _SECONDS_A_HOUR,
        "export and import by region; a drill says what it takes",
    )
    for runs in (1, model.stage.most_runs):
        yield TimedJob(
            f"Expiry and deletion of a day's registrations {_name_runs(runs)}",
            day * _count_ageing(model) / runs,
            _AGEING_RUNS_A_DAY * (timeouts["AgeRegistrations"] - SHUTDOWN_MARGIN_MS / _MILLISECONDS),
            f"RunsSideBySide {model.stage.most_runs}; what is left waits for the next run",
        )


def _count_ageing(model: Model) -> float:
    """Return the seconds of a run that a registration takes which expires, and is deleted later.

    Several are changed at once, so that waiting and CPU overlap: whichever is longer counts. Transactions
    that are refused because of each other are not counted.
    """
    milliseconds = 0.0
    for operation in ("expire_a_registration", "delete_personal_fields"):
        counts = model.counts[operation]
        requests = counts["dynamodb.requests"] + counts.get("s3.requests", 0)
        waiting = requests * model.load["dynamodb_milliseconds"] / CHANGED_AT_ONCE
        milliseconds += max(waiting, model.load[f"{operation}_cpu_milliseconds"])
    return milliseconds / _MILLISECONDS


def _iter_backlogs(model: Model) -> Iterator[TimedJob]:
    arrivals = make_day(model.load)
    rate = model.stage.parameters["SmsPartsASecond"] * _SECONDS_A_MINUTE
    yield TimedJob(
        "Wait for an SMS, at the rate of one gateway",
        drain(arrivals, rate).longest_wait * _SECONDS_A_MINUTE,
        _SMS_HOURS * _SECONDS_A_HOUR,
        "messages end in the dead-letter queue after four days: pay for a rate, or tell by chat",
    )
    relay = find_relay_limit(model).registrations_a_second
    yield TimedJob(
        "Wait in the stream of a new table",
        drain(arrivals, relay * _SECONDS_A_MINUTE).longest_wait * _SECONDS_A_MINUTE,
        _RECORD_HOURS * _SECONDS_A_HOUR,
        "WarmRegistrationsASecond before the day",
    )
