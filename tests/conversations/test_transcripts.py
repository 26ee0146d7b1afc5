"""Every story, played on every channel, reads as its transcript.

`python -m tests.support.transcripts` writes the transcripts: read their difference before you commit.
"""

import pytest

from chalicelib.conversations.events import ChannelName
from tests.support.transcripts import DIRECTORY, PLAYS, get_transcript_file, write_transcript


@pytest.mark.parametrize(("story", "channel"), PLAYS)
def test_a_story_reads_as_its_transcript(story: str, channel: ChannelName) -> None:
    assert write_transcript(story, channel) == get_transcript_file(story, channel).read_text(encoding="utf-8")


def test_every_transcript_is_of_a_story() -> None:
    expected = {get_transcript_file(story, channel) for story, channel in PLAYS}
    assert set((DIRECTORY / "transcripts").glob("*.txt")) == expected
