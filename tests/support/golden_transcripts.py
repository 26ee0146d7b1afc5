"""Golden transcripts of chats, and how they are played through the fake chat of a running stack."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack
from tests.support.transcripts import get_transcript_file

_NIK = re.compile(r"(?:\d ?){16}")
# A price follows from the day, and a transcript is of a day of 2024.
_PRICE = re.compile(r"Rp[\d.]+(?=\.? |\n|$)")
PHONE = "+6281234567890"


@dataclass(frozen=True)
class TranscriptLine:
    """One act of the person, with what the bot says to it; `adds_notices` if an effect says more."""

    act: str
    text: str
    buttons: tuple[str, ...]
    adds_notices: bool


def read_lines(story: str, channel: Any) -> Iterator[TranscriptLine]:
    """Yield the lines of a transcript until time has to pass."""
    blocks = re.split(
        r"\n(?=[>\[(])", get_transcript_file(story, channel).read_text(encoding="utf-8").strip()
    )
    for block in blocks:
        act, _, rest = block.partition("\n")
        if act.startswith("(wait"):
            return
        lines = rest.splitlines()
        effects = {line.removeprefix("  ! ") for line in lines if line.startswith("  ! ")}
        shown = [line for line in lines if not line.startswith("  ! ")]
        is_buttons = [re.fullmatch(r"    (\[[^\]]+\] ?)+|    \(keyboard removed\)", line) for line in shown]
        said = [line[4:] for line, found in zip(shown, is_buttons, strict=True) if not found]
        labels = [
            label
            for line, found in zip(shown, is_buttons, strict=True)
            if found
            for label in re.findall(r"\[([^\]]+)\]", line)
        ]
        yield TranscriptLine(
            act, "\n".join(said), tuple(labels), bool(effects & {"make_link", "tell_status", "hand_off"})
        )


class ChatPlayer:
    """One person with one app, at the fake chat of a running stack."""

    def __init__(self, stack: RunningStack, app: str, user_id: str, *, district_code: str) -> None:
        """The NIKs of a transcript get the `district_code`, so that they are of nobody else on the stack."""
        self._path = f"{stack.description.chat_url}/{app}/users/{user_id}"
        self._district_code = district_code

    def list_messages(self) -> list[dict[str, Any]]:
        """Return what the bot has said."""
        transcript = httpx.get(f"{self._path}/transcript", trust_env=False).json()
        return [message for message in transcript if message["from"] == "bot"]

    def act(self, **act: Any) -> list[dict[str, Any]]:
        """Do one thing. Return what the bot says to it: usually one message."""
        before = len(self.list_messages())
        self._post(act)
        return wait_until(f"an answer to {act}", lambda: self.list_messages()[before:])

    def write(self, text: str) -> None:
        """Write a text, and wait for no answer."""
        self._post({"text": text})

    def _post(self, act: dict[str, Any]) -> None:
        httpx.post(f"{self._path}/messages", json=act, trust_env=False, timeout=30).raise_for_status()

    def play(self, line: TranscriptLine) -> None:
        """Do what a line says. Fail unless the bot says what stands there."""
        if not line.text:
            self._post(self._make_act(line.act))
            return
        [message] = self.act(**self._make_act(line.act))
        said, expected = _PRICE.sub("Rp-", message["text"]), _PRICE.sub("Rp-", line.text)
        if line.adds_notices:
            question = expected.rpartition("\n\n")[2]
            assert said.endswith(question) or question in said, line.act
            return
        assert said == expected, line.act
        if message["buttons"] or line.buttons:
            assert tuple(message["buttons"]) == line.buttons, line.act

    def _make_act(self, act: str) -> dict[str, Any]:
        match act:
            case "(own contact)":
                return {"contact": {"phone_number": PHONE, "own": True}}
            case "(somebody's contact)":
                return {"contact": {"phone_number": PHONE, "own": False}}
            case "(photo)":
                return {"media": "photo"}
        if not act.startswith("["):
            return {"text": self._relocate(act.removeprefix("> "))}
        label = act.strip("[]")
        last = self.list_messages()[-1]
        if label in last["buttons"]:
            return {"button": label}
        # Where there are no buttons, the option is typed by its number.
        found = re.search(rf"^(\d+)\. {re.escape(label)}$", last["text"], re.MULTILINE)
        assert found is not None, act
        return {"text": found[1]}

    def _relocate(self, text: str) -> str:
        if not _NIK.fullmatch(text):
            return text
        rest = text[-10:] if " " not in text else text[7:]
        return f"{self._district_code}{rest.replace(' ', '')}"
