"""Stories of chats, played on a channel and written down.

`python -m tests.support.transcripts` writes all of them. A line of a story is a text (`> text`), an option
(`[label]`), which is tapped or typed by its number, or an act in brackets: `(own contact)`,
`(somebody's contact)`, `(photo)`, `(wait 2h)`. A channel before it, as in `telegram: `, is the only one that
plays the line.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from chalicelib.channels.telegram.rendering import BotCall, render_call
from chalicelib.channels.text_menu.rendering import render_pages
from chalicelib.channels.whatsapp.rendering import Message, render_message
from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.events import ChannelName
from chalicelib.conversations.messages import OutboxContent
from chalicelib.conversations.model import Prompt, Step
from tests.support.chat_driver import CHAT, Person

DIRECTORY = Path(__file__).parents[1] / "conversations"
CHANNELS: tuple[ChannelName, ...] = ("telegram", "sms", "ussd")
# The form of WhatsApp is another one.
DOOR = "door"
PLAYS: tuple[tuple[str, ChannelName], ...] = (
    (DOOR, "whatsapp"),
    *(
        (path.stem, channel)
        for path in sorted((DIRECTORY / "stories").glob("*.txt"))
        if path.stem != DOOR
        for channel in CHANNELS
    ),
)


def read_story(name: str, channel: str) -> Iterator[str]:
    """Yield the lines of a story that a channel plays."""
    for line in (DIRECTORY / "stories" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        only, found, rest = line.partition(": ")
        if found and only in CAPABILITIES:
            if only == channel:
                yield rest
        else:
            yield line


def get_transcript_file(name: str, channel: str) -> Path:
    """Return the file of a transcript."""
    return DIRECTORY / "transcripts" / f"{name}.{channel}.txt"


def write_transcript(name: str, channel: ChannelName) -> str:
    """Return a story as it is played on a channel, with every reply in full."""
    person = Person(channel)
    lines: list[str] = []
    for line in read_story(name, channel):
        lines.append(line)
        if line.startswith("(wait"):
            person.wait(timedelta(hours=int(line.removeprefix("(wait ").removesuffix("h)"))))
            continue
        answered = play_line(person, line)
        lines += [f"  ! {effect.kind}" for effect in answered.effects]
        if answered.prompt is not None:
            lines += render_reply(answered.prompt, answered.session.language, channel)
    return "\n".join(lines) + "\n"


def play_line(person: Person, line: str) -> Step:
    """Play one line of a story."""
    match line:
        case "(own contact)":
            return person.share_contact()
        case "(somebody's contact)":
            return person.share_contact(is_own=False)
        case "(photo)":
            return person.send_photo()
    if line.startswith("["):
        return choose(person, line.strip("[]"))
    return person.say(line.removeprefix("> "))


def choose(person: Person, label: str) -> Step:
    """Tap the button with a label, or type its number where there is no button."""
    prompt = person.prompt
    assert prompt is not None
    if CAPABILITIES[person.channel].has_pages or prompt.removes_keyboard or prompt.asks_contact:
        choice_id = person.find_choice_id(label)
        return person.say(
            next(each.token for each in prompt.options if prompt.build_choice_id(each) == choice_id)
        )
    return person.tap(label)


def render_reply(prompt: Prompt, language: str, channel: ChannelName) -> list[str]:
    """Return a prompt as a transcript shows it: `<` before its lines, and each page of a text by itself."""
    if CAPABILITIES[channel].has_pages:
        pages = render_pages(prompt, language, CAPABILITIES[channel])  # type: ignore[arg-type]
        return ["  < " + page.replace("\n", "\n    ") for page in pages]
    if channel == "whatsapp":
        return [*_describe_message(render_whatsapp(prompt, language))]
    return [*_describe_call(render_prompt(prompt, language))]


def render_prompt(prompt: Prompt, language: str) -> BotCall:
    """Return the call of Telegram that sends a prompt."""
    return render_call(_make_content("telegram", prompt, language))


def render_whatsapp(prompt: Prompt, language: str) -> Message:
    """Return the message of WhatsApp that shows a prompt."""
    message = render_message(_make_content("whatsapp", prompt, language))
    assert message is not None
    return message


def _make_content(channel: ChannelName, prompt: Prompt, language: str) -> OutboxContent:
    return OutboxContent.model_validate(
        {"channel": channel, "account": "bot", "recipient": CHAT, "language": language, "message": prompt}
    )


def _describe_message(message: Message) -> Iterator[str]:
    interactive = message.get("interactive", {})
    text = message["text"]["body"] if "text" in message else interactive["body"]["text"]
    yield "  < " + text.replace("\n", "\n    ")
    action = interactive.get("action", {})
    titles = [button["reply"]["title"] for button in action.get("buttons", ())]
    titles += [row["title"] for section in action.get("sections", ()) for row in section["rows"]]
    if titles:
        yield "    " + " ".join(f"[{title}]" for title in titles)


def _describe_call(call: BotCall) -> Iterator[str]:
    yield "  < " + call.params["text"].replace("\n", "\n    ")
    markup = call.params.get("reply_markup", {})
    for row in (*markup.get("inline_keyboard", ()), *markup.get("keyboard", ())):
        yield "    " + " ".join(f"[{button['text']}]" for button in row)
    if markup.get("remove_keyboard"):
        yield "    (keyboard removed)"


def main() -> None:
    """Write every transcript."""
    for name, channel in PLAYS:
        get_transcript_file(name, channel).write_text(write_transcript(name, channel), encoding="utf-8")


if __name__ == "__main__":
    main()
