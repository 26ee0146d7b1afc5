"""The verdict about workers who chat at once: whoever is forgotten, told twice or registered twice shows."""

from collections import Counter
from dataclasses import replace

import pytest

from bench.chats.people import Replies
from bench.chats.run import ChatRun, describe_run, judge_run

TEXTS = ["Selamat datang", "NIK?", "Pendaftaran diterima"]


def make_replies(*texts: str, last_seconds: float = 2.0, **changes: object) -> Replies:
    texts = texts or tuple(TEXTS)
    replies = Replies(list(texts), [1.0] * (len(texts) - 1) + [last_seconds], last_text=texts[-1])
    return replace(replies, **changes)  # type: ignore[arg-type]


def make_run(**changes: object) -> ChatRun:
    good = ChatRun(
        workers=4,
        seconds=60,
        told=[make_replies() for _ in range(4)],
        expected=TEXTS,
        registrations=Counter({f"nik-{number}": 1 for number in range(5)}),
        killed=["OnChatEvents"],
        dead_letters=0,
    )
    return replace(good, **changes)  # type: ignore[arg-type]


def list_failed(run: ChatRun) -> list[str]:
    return [gate.name for gate in judge_run(run) if not gate.has_passed]


def test_a_good_run_passes_and_is_described() -> None:
    assert list_failed(make_run()) == []
    assert describe_run(make_run())["replies"] == "12, 0.2 a second"


@pytest.mark.parametrize(
    ("changes", "gate"),
    [
        ({"registrations": Counter({f"nik-{n}": 1 for n in range(4)})}, "workers not registered once"),
        ({"registrations": Counter({f"nik-{n}": 1 + (n == 0) for n in range(5)})}, "registered twice"),
        (
            {"told": [make_replies(*TEXTS[:2], *TEXTS[1:]), *[make_replies()] * 3]},
            "told something twice, out of order, or less",
        ),
        ({"told": [make_replies(TEXTS[0], TEXTS[2])] * 4}, "told something twice, out of order, or less"),
        ({"told": [make_replies(asked_again=1)] * 4}, "replies lost with a killed process"),
        ({"told": [make_replies(*TEXTS[:2], "Sudah")] * 2 + [make_replies()] * 2},
         "answers to a registration, beside one"),
        ({"dead_letters": 1}, "dead letters of chats"),
        (
            {"told": [make_replies(last_seconds=1), make_replies(last_seconds=3)] * 20, "workers": 40},
            "known workers' last reply, from even",
        ),
    ],
)  # fmt: skip
def test_a_fault_shows(changes: dict[str, object], gate: str) -> None:
    assert gate in list_failed(make_run(**changes))
