"""Keep what callers were told, and compare it with the SMS and the summaries that must follow."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Of a summary, what the books can tell. Everybody here is new, and nothing is cancelled.
_COUNTED = ("captures", "created", "registered")


@dataclass(frozen=True)
class Accepted:
    """A registration that the API has accepted: its client, its channel, and the worker's phone."""

    client_id: str
    channel: str
    phone: str
    accepted_at: float = 0.0
    reference: str | None = None


@dataclass
class Books:
    """The registrations that were accepted, by the number of the worker. Threads add to it."""

    accepted: dict[int, Accepted] = field(default_factory=dict)

    def count_sms_faults(self, sent_to: Iterable[str]) -> "SmsFaults":
        """Compare the numbers that the gateway sent an SMS to with the phones that are to get one each."""
        received = Counter(sent_to)
        phones = {each.phone for each in list(self.accepted.values())}
        return SmsFaults(
            without=len(phones - received.keys()),
            repeated=sum(count > 1 for count in received.values()),
            unexpected=len(received.keys() - phones),
        )

    def list_summary_differences(self, summary: Mapping[str, Any]) -> list[str]:
        """Return the figures of a summary that differ from these books."""
        accepted = list(self.accepted.values())
        expected = {
            **{f"counts.{name}": len(accepted) for name in _COUNTED},
            **_name_counts("by_client", Counter(each.client_id for each in accepted)),
            **_name_counts("by_channel", Counter(each.channel for each in accepted)),
        }
        actual = {
            **{f"counts.{name}": summary["counts"][name] for name in _COUNTED},
            **_name_counts("by_client", summary["by_client"]),
            **_name_counts("by_channel", summary["by_channel"]),
        }
        return [
            f"{name}: {actual.get(name, 0)} and not {expected.get(name, 0)}"
            for name in sorted(expected.keys() | actual.keys())
            if actual.get(name, 0) != expected.get(name, 0)
        ]


def _name_counts(group: str, counts: Mapping[str, int]) -> dict[str, int]:
    return {f"{group}.{name}": count for name, count in counts.items()}


@dataclass(frozen=True)
class SmsFaults:
    """Workers without an SMS, phones with more than one, and phones that nobody has registered."""

    without: int
    repeated: int
    unexpected: int


@dataclass(frozen=True)
class Settlement:
    """The state of a campaign once nothing moves any more.

    `summary_differences` are between the hourly summary and the books, `recount_differences` between a
    recount and the books.
    """

    sms: SmsFaults
    unsettled_sms: int
    dead_letters: int
    summary_differences: list[str]
    recount_differences: list[str]
