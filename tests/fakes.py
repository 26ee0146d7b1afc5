"""Stand-ins for what services are given.

Those that remember are held against the real stores in `contracts/test_fakes.py`; the others only say what a
test told them to say.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta

from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.campaigns.service import DaysMoved
from chalicelib.notifications.model import MessageId, Text
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import CaptureFacts, Registration
from chalicelib.rollups.model import Summary
from chalicelib.rollups.service import AlreadyWritten, Mark


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        """Move it on."""
        self.at += by


class InMemoryLedger:
    """Satisfies `notifications.service.Ledger`."""

    def __init__(self) -> None:
        self.texts: dict[MessageId, Text] = {}

    def begin(self, text: Text) -> Text | None:
        """Store a text, unless one stands there: then that one."""
        standing = self.texts.get(text.message_id)
        if standing is None:
            self.texts[text.message_id] = text
        return standing

    def move(self, text: Text, *, was: Text) -> bool:
        """Store a text's next state; False if it has moved meanwhile."""
        standing = self.texts[text.message_id]
        if (standing.state, standing.attempts) != (was.state, was.attempts):
            return False
        self.texts[text.message_id] = text
        return True


class InMemorySummaries:
    """Satisfies `rollups.service.Summaries`."""

    def __init__(self) -> None:
        self.written: list[Summary] = []
        self._marks: dict[CampaignDay, Mark] = {}

    def add(self, summary: Summary) -> None:
        """Store a new version. Raises AlreadyWritten."""
        key = (summary.campaign_id, summary.day, summary.version)
        if any((each.campaign_id, each.day, each.version) == key for each in self.written):
            raise AlreadyWritten
        self.written.append(summary)

    def latest(self, of: CampaignDay) -> Summary | None:
        """The newest version of a day."""
        versions = [each for each in self.written if (each.campaign_id, each.day) == (of.campaign_id, of.day)]
        return max(versions, key=lambda each: each.version, default=None)

    def mark(self, of: CampaignDay, *, at: datetime) -> None:
        """Mark a day, or mark it once more."""
        before = self._marks[of].marks if of in self._marks else 0
        self._marks[of] = Mark(of, before + 1, at)

    def marks(self) -> Iterator[Mark]:
        """Every marked day, by day."""
        yield from sorted(self._marks.values(), key=lambda mark: (mark.of.day, mark.of.campaign_id))

    def unmark(self, mark: Mark) -> None:
        """Take a mark away, unless the day was marked once more since it was read."""
        if mark.of in self._marks and self._marks[mark.of].marks == mark.marks:
            del self._marks[mark.of]


class KnownCampaigns:
    """Campaigns in a dictionary; satisfies `campaigns.service.Campaigns`. `asked` counts look-ups."""

    def __init__(self, *campaigns: Campaign) -> None:
        self._campaigns = {campaign.campaign_id: campaign for campaign in campaigns}
        self.asked = 0

    def add(self, campaign: Campaign) -> None:
        """Raises CampaignExists if the id is taken."""
        if campaign.campaign_id in self._campaigns:
            raise CampaignExists(campaign.campaign_id)
        self._campaigns[campaign.campaign_id] = campaign

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""
        self.asked += 1
        if campaign_id not in self._campaigns:
            raise CampaignUnknown(campaign_id)
        return self._campaigns[campaign_id]

    def replace(self, campaign: Campaign, *, was: Campaign) -> None:
        """Store the fields that differ. Raises DaysMoved if the days are no longer as they were."""
        standing = self._campaigns[campaign.campaign_id]
        if _days(standing) != _days(was):
            raise DaysMoved(campaign.campaign_id)
        before = dict(was)
        differing = {name: value for name, value in campaign if value != before[name]}
        self._campaigns[campaign.campaign_id] = standing.model_copy(update=differing)

    def ending_since(self, day: date) -> Iterator[Campaign]:
        """The campaigns that end on a day or later."""
        yield from sorted(
            (each for each in self._campaigns.values() if each.last_day >= day),
            key=lambda campaign: campaign.last_day,
        )


def _days(campaign: Campaign) -> tuple[date, date, date]:
    return campaign.first_day, campaign.last_day, campaign.accepts_until


class KnownRegistrations:
    """One registration that messages may name; satisfies `notifications.service.Registrations`."""

    def __init__(self, registration: Registration) -> None:
        self._registration = registration

    def get(self, known_reference: str) -> Registration:
        """Raises RegistrationUnknown."""
        if known_reference != self._registration.reference:
            raise RegistrationUnknown("no registration has this reference")
        return self._registration


class KnownCaptures:
    """The captures of each day; satisfies `rollups.service.Captures`. A day may be made unreadable."""

    def __init__(self, *, on_read: Callable[[], object] = lambda: None) -> None:
        self.by_day: dict[CampaignDay, list[CaptureFacts]] = {}
        self.unreadable: set[CampaignDay] = set()
        self.on_read = on_read

    def captured_on(self, of: CampaignDay) -> Iterable[CaptureFacts]:
        """Raises ConnectionError for an unreadable day. `on_read` is what happens while a day is read."""
        if of in self.unreadable:
            raise ConnectionError
        read = list(self.by_day.get(of, ()))
        self.on_read()
        return read


class InMemoryDayCounts:
    """Satisfies `clients.caps.DayCounts`. `asked` counts requests."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, date]] = Counter()
        self.asked = 0

    def add(self, client_id: str, day: date, number: int) -> int:
        """Add to a client's count of a day, or take away; the count after that."""
        self.asked += 1
        self.counts[client_id, day] += number
        return self.counts[client_id, day]


class ScriptedGateway:
    """Answers each send with the next of its answers, raising those that are exceptions; keeps what it was
    given. With no answers left it accepts.
    """

    def __init__(self, *answers: str | Exception, during: Callable[[], object] = lambda: None) -> None:
        self._answers = list(answers)
        self.sent: list[tuple[str, str]] = []
        self.during = during

    def send(self, *, to: str, text: str, message_id: MessageId, correlation_id: str) -> str:
        """The next answer. `during` is what happens while the text is on its way."""
        self.sent.append((to, text))
        self.during()
        answer = self._answers.pop(0) if self._answers else f"gateway-{message_id}"
        if isinstance(answer, Exception):
            raise answer
        return answer
