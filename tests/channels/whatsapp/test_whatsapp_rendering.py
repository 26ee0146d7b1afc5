"""Every prompt is a message that Meta accepts, whatever its length and its number of options."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.channels.whatsapp.rendering import Message, render_message, render_template
from chalicelib.conversations.messages import OutboxContent
from chalicelib.conversations.model import Acknowledgement, OfficerMessage, Option, Prompt, TextRef
from ops.fake_chat.transcripts import ButtonKind
from ops.fake_chat.whatsapp_messages import MESSAGE_ADAPTER, InteractiveMessage, show_message

_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=1500)


def _render(message: Prompt | OfficerMessage | Acknowledgement) -> Message | None:
    return render_message(
        OutboxContent(
            channel="whatsapp", account="1", recipient="6283100000001", language="id", message=message
        )
    )


def _make_option(label: str, number: int) -> Option:
    return Option(value=f"o{number}", label=TextRef(key="plain", args={"text": label}), token=str(number))


def _make_prompt(text: str, *labels: str, link: str | None = None) -> Prompt:
    return Prompt(
        question=TextRef(key="plain", args={"text": text}),
        field="consent",
        options=tuple(_make_option(label, number) for number, label in enumerate(labels, 1)),
        link=link,
    )


def _show(message: Message | None) -> tuple[str, list[str]]:
    """Return the text and the buttons of a message, after Meta's checks."""
    assert message is not None
    sent = MESSAGE_ADAPTER.validate_python(
        {"messaging_product": "whatsapp", "to": "6283100000001", **message}
    )
    text, buttons = show_message(sent, {("status", "id"): "BPJAMSOSTEK: {{1}}"})
    return text, [button.text for button in buttons]


@given(_TEXTS, st.lists(_TEXTS, max_size=14), st.sampled_from([None, "https://daftar.example/app#self=x"]))
def test_every_prompt_fits(text: str, labels: list[str], link: str | None) -> None:
    if text.strip():
        _show(_render(_make_prompt(text, *labels, link=link)))


def test_up_to_three_options_are_buttons_and_up_to_ten_are_a_list() -> None:
    assert _show(_render(_make_prompt("Setuju?", "Ya", "Tidak"))) == ("Setuju?", ["Ya", "Tidak"])
    ten = [f"Pilihan {number}" for number in range(10)]
    assert _show(_render(_make_prompt("Pilih", *ten))) == ("Pilih", ten)


def test_more_options_are_numbered_in_the_text() -> None:
    text, buttons = _show(_render(_make_prompt("Pilih", *("a" for _ in range(11)))))
    assert text.splitlines() == ["Pilih", *(f"{number}. a" for number in range(1, 12))]
    assert buttons == []


def test_a_link_is_a_button_and_the_options_beside_it_are_numbered() -> None:
    message = _render(_make_prompt("Isi di sini", "Ya", link="https://daftar.example/app#self=x"))
    assert message is not None
    sent = MESSAGE_ADAPTER.validate_python({"messaging_product": "whatsapp", "to": "1", **message})
    assert isinstance(sent, InteractiveMessage)
    text, [button] = show_message(sent, {})
    assert text == "Isi di sini\n1. Ya"
    assert (button.text, button.kind) == ("Isi formulir", ButtonKind.URL)
    assert button.data == "https://daftar.example/app#self=x"


def test_a_persons_words_are_sent_as_they_are() -> None:
    assert _show(_render(OfficerMessage(text="Halo *Siti*"))) == ("Halo *Siti*", [])


def test_there_is_nothing_to_acknowledge() -> None:
    assert _render(Acknowledgement(callback_id="1")) is None


def test_a_template_has_the_text_in_one_line() -> None:
    assert _show(render_template("status", "id", "Kode bayar:\n 123 456")) == (
        "BPJAMSOSTEK: Kode bayar: 123 456",
        [],
    )
