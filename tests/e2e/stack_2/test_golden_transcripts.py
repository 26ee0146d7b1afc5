"""On the packaged stack: the golden transcripts, and nothing of them where operators look."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.support.functions import pause_event_sources
from tests.support.golden_transcripts import PHONE, ChatPlayer, read_lines
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack
from tests.support.stack_contents import in_the_logs, in_the_queues, in_the_tables
from tests.support.transcripts import PLAYS

pytestmark = pytest.mark.e2e

_DISTRICT = "940303"
_DEPLOYED = [(story, channel) for story, channel in PLAYS if channel in {"telegram", "whatsapp"}]
_PLACES = {"logs": in_the_logs, "queues": in_the_queues, "tables": in_the_tables}
# What the stories say of a person: whatever is as short as "Siti" is found in other tests' data too.
_SAID = ("Siti Aminah", "Siti 4minah", "Kebon Kacang 3", "tukang sayur keliling", f"{_DISTRICT}4504850003")
_USER_IDS = tuple(f"62821777{number:05}" for number in range(len(_DEPLOYED)))


def _play(stack: RunningStack, story: str, channel: str, user_id: str) -> None:
    player = ChatPlayer(stack, channel, user_id, district_code=_DISTRICT)
    for line in read_lines(story, channel):
        player.play(line)


@pytest.fixture(scope="module")
def plays(stack: RunningStack) -> dict[tuple[str, str], Future[None]]:
    """Every story, played: all of them at once, because an app takes a message a second from a chat."""
    with ThreadPoolExecutor(len(_DEPLOYED)) as threads:
        return {
            (story, channel): threads.submit(_play, stack, story, channel, user_id)
            for (story, channel), user_id in zip(_DEPLOYED, _USER_IDS, strict=True)
        }


@pytest.mark.parametrize(("story", "channel"), _DEPLOYED)
def test_a_story_reads_as_its_transcript(
    story: str, channel: str, plays: dict[tuple[str, str], Future[None]]
) -> None:
    plays[story, channel].result()


@contextmanager
def _hold_one_event(stack: RunningStack) -> Iterator[None]:
    """Keep what a person writes in its queue, then let it be answered."""
    outputs = stack.description.outputs
    player = ChatPlayer(stack, "telegram", _USER_IDS[1], district_code=_DISTRICT)
    before = len(player.list_messages())
    with pause_event_sources(stack.aws_client("lambda"), outputs["OnChatEventsName"]):
        player.write("Siti Aminah, Jl. Kebon Kacang 3")
        wait_until("the event in its queue", lambda: any("sealed" in body for body in in_the_queues(stack)))
        yield
    wait_until("the answer", lambda: len(player.list_messages()) > before)


@pytest.mark.usefixtures("plays")
def test_nothing_that_people_said_is_readable_where_operators_look(stack: RunningStack) -> None:
    values = (*_SAID, PHONE.removeprefix("+62"), *_USER_IDS)
    with _hold_one_event(stack):
        found = {
            (place, value)
            for place, read in _PLACES.items()
            for text in read(stack)
            for value in values
            if value in text
        }
    assert found == set()
