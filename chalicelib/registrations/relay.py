"""From the table's stream to those who wait for news: the table is the outbox, this is its postman.

Every change is announced at least once. Readers take repeats, so nothing here remembers what it sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from chalicelib.campaigns.model import CampaignDay
from chalicelib.dynamodb import from_item
from chalicelib.registrations.messages import RegistrationReceived
from chalicelib.registrations.model import Flag

StreamRecord = Mapping[str, Any]

# What is announced is read from these alone. Sealed values have no business here, and Lambda hands binary
# values over as base64 text, which is not what the table holds.
_READ = ("sk", "reference", "taken", "day_shard", "flags")

# A capture that changed in none of these is counted as before: it was sealed anew, under another key.
_COUNTED = ("facts", "day_shard", "forgotten")


class Notifications(Protocol):
    """Where news for workers goes."""

    def send(self, messages: Sequence[RegistrationReceived]) -> None:
        """Send every message, or raise."""


class Marks(Protocol):
    """Where days to recount are marked."""

    def mark(self, day: CampaignDay) -> None:
        """Ask for a day to be counted again."""


class Relay:
    """Reads stream records and passes on what they say."""

    def __init__(self, *, notifications: Notifications, marks: Marks) -> None:
        self._notifications = notifications
        self._marks = marks

    def announce(self, records: Sequence[StreamRecord]) -> int:
        """Announce a batch of changes; each campaign day is marked once.

        Raises if anything could not be passed on.
        """
        news = [each for record in records for each in news_of(record)]
        received = [each for each in news if isinstance(each, RegistrationReceived)]
        touched = {each for each in news if isinstance(each, CampaignDay)}
        for day in sorted(touched):
            self._marks.mark(day)
        self._notifications.send(received)
        return len(news)


def news_of(record: StreamRecord) -> Iterator[RegistrationReceived | CampaignDay]:
    """What one stream record says, if it says anything to anyone."""
    image = record["dynamodb"].get("NewImage")
    if image is None:
        return
    values = from_item({name: image[name] for name in _READ if name in image})
    if values["sk"] == "CAPTURE":
        if "day_shard" not in values:
            return  # Refused for its day: it is counted under none.
        before = record["dynamodb"].get("OldImage")
        if before is not None and all(before.get(name) == image.get(name) for name in _COUNTED):
            return
        taken = values["taken"]
        yield CampaignDay(taken["campaign_id"], date.fromisoformat(taken["day"]))
    elif (
        values["sk"] == "APPLICATION"
        and record["eventName"] == "INSERT"
        # Nobody shall be flooded with texts by having their number given again and again.
        and Flag.PHONE_OVER_CAP not in values.get("flags", ())
    ):
        yield RegistrationReceived(
            reference=values["reference"], correlation_id=values["taken"]["correlation_id"]
        )
