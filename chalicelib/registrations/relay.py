"""From the table's stream to those who wait for news: the table is the outbox, this is its postman.

Every change is announced at least once. Readers take repeats, so nothing here remembers what it sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Protocol, TypeGuard

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.model import Channel
from chalicelib.dynamodb import from_item
from chalicelib.registrations.lifecycle import Happening, Status
from chalicelib.registrations.messages import KnownWorkerMet, News, RegistrationChanged, RegistrationReceived
from chalicelib.registrations.model import Flag, Outcome

StreamRecord = Mapping[str, Any]
Values = dict[str, Any]

# What is announced is read from these alone. Sealed values have no business here, and Lambda hands binary
# values over as base64 text, which is not what the table holds: the facts of a registration hold such.
_READ = {
    "CAPTURE": ("sk", "taken", "day_shard", "facts", "led_to", "forgotten"),
    "APPLICATION": ("sk", "taken", "reference", "history", "flags"),
}

# Of these a worker is told. A mismatch found while the membership is paid for changes nothing for the worker.
_TOLD = {
    Happening.PAYMENT_CODE_ISSUED: frozenset(Status),
    Happening.PAID: frozenset(Status),
    Happening.MISMATCHED: frozenset({Status.MISMATCH}),
    Happening.LAPSING_SOON: frozenset(Status),
}

# A bot speaks with strangers, and a stranger must not make us text a worker.
_STRANGERS = frozenset({Channel.BOT, Channel.WEB})

# What changed in none of these is counted as before: it was sealed anew, under another key.
_COUNTED = {"CAPTURE": ("facts", "day_shard", "forgotten"), "APPLICATION": ("history", "destroyed_at")}


class Notifications(Protocol):
    """Where news for workers goes."""

    def send(self, messages: Sequence[News]) -> None:
        """Send every message, or raise."""


class Marks(Protocol):
    """Where days to recount are marked."""

    def mark(self, day: CampaignDay) -> None:
        """Ask for a day to be counted again."""


class Relay:
    """Reads stream records and passes on what they say.

    A known worker who is met again is told only where the stage says so: the officer who knows it is there to
    say it.
    """

    def __init__(self, *, notifications: Notifications, marks: Marks, tells_known_workers: bool) -> None:
        self._notifications = notifications
        self._marks = marks
        self._tells_known_workers = tells_known_workers

    def announce(self, records: Sequence[StreamRecord]) -> int:
        """Announce a batch of changes; each campaign day is marked once.

        Raises if anything could not be passed on.
        """
        news = [each for record in records for each in news_of(record)]
        touched = {each for each in news if isinstance(each, CampaignDay)}
        for day in sorted(touched):
            self._marks.mark(day)
        self._notifications.send([each for each in news if self._is_told(each)])
        return len(news)

    def _is_told(self, news: News | CampaignDay) -> TypeGuard[News]:
        if isinstance(news, KnownWorkerMet):
            return self._tells_known_workers
        return not isinstance(news, CampaignDay)


def news_of(record: StreamRecord) -> Iterator[News | CampaignDay]:
    """What one stream record says, if it says anything to anyone."""
    now, before = _read(record, "NewImage"), _read(record, "OldImage")
    if now is None:
        if before is not None and before["sk"] == "APPLICATION":
            yield _day_of(before)
    elif not _is_counted_anew(record, now["sk"]):
        return
    elif now["sk"] == "CAPTURE":
        yield from _news_of_capture(now, is_new=record["eventName"] == "INSERT")
    elif record["eventName"] == "INSERT":
        # Its capture, stored with it, marks the day too; but this may be a change that is told once more from
        # the table.
        yield _day_of(now)
        yield from _news_of_registration(now)
    else:
        yield _day_of(now)
        yield from _news_of_change(now, before=before or now)


def _is_counted_anew(record: StreamRecord, kind: str) -> bool:
    before, now = (record["dynamodb"].get(image, {}) for image in ("OldImage", "NewImage"))
    return any(before.get(name) != now.get(name) for name in _COUNTED[kind])


def _day_of(item: Values) -> CampaignDay:
    return CampaignDay(item["taken"]["campaign_id"], date.fromisoformat(item["taken"]["day"]))


def _news_of_capture(capture: Values, *, is_new: bool) -> Iterator[News | CampaignDay]:
    if "day_shard" not in capture and "forgotten" not in capture:
        return  # Refused for its day: it is counted under none.
    yield _day_of(capture)
    taken, facts = capture["taken"], capture.get("facts", {})
    known = facts.get("outcome") == Outcome.ALREADY_REGISTERED
    if is_new and known and facts["channel"] not in _STRANGERS:
        yield KnownWorkerMet(reference=capture["led_to"], correlation_id=taken["correlation_id"])


def _news_of_registration(registration: Values) -> Iterator[News]:
    # Nobody shall be flooded with texts by having their number given again and again.
    if Flag.PHONE_OVER_CAP not in registration.get("flags", ()):
        yield RegistrationReceived(
            reference=registration["reference"], correlation_id=registration["taken"]["correlation_id"]
        )


def _news_of_change(registration: Values, *, before: Values) -> Iterator[News]:
    history, known = registration["history"], len(before["history"])
    for version, event in enumerate(history[known:], start=known + 1):
        happening = Happening(event["happening"])
        if event["status"] in _TOLD.get(happening, ()):
            yield RegistrationChanged(
                reference=registration["reference"],
                correlation_id=registration["taken"]["correlation_id"],
                happening=happening,
                life_version=version,
            )


def _read(record: StreamRecord, image: str) -> Values | None:
    found = record["dynamodb"].get(image)
    kind = found["sk"]["S"] if found else None
    if kind not in _READ:
        return None
    return from_item({name: found[name] for name in _READ[kind] if name in found})
