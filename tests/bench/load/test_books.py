"""What must follow from the registrations that were accepted."""

import pytest

from bench.load.books import Accepted, Books, SmsFaults

_PHONES = ["+6282455500001", "+6282455500002", "+6282455500003"]


@pytest.fixture
def books() -> Books:
    clients = [("van-1", "van"), ("van-1", "van"), ("bot-1", "bot")]
    return Books(
        {
            number: Accepted(client, channel, phone)
            for number, ((client, channel), phone) in enumerate(zip(clients, _PHONES, strict=True))
        }
    )


def make_summary(**changes: object) -> dict[str, object]:
    return {
        "counts": {"captures": 3, "created": 3, "registered": 3, "refused": 0},
        "by_client": {"van-1": 2, "bot-1": 1},
        "by_channel": {"van": 2, "bot": 1},
        **changes,
    }


def test_one_sms_for_each_is_no_fault(books: Books) -> None:
    assert books.count_sms_faults(reversed(_PHONES)) == SmsFaults(without=0, repeated=0, unexpected=0)


def test_each_kind_of_fault_is_counted(books: Books) -> None:
    sent_to = [_PHONES[0], _PHONES[1], _PHONES[1], _PHONES[1], "+6282499999999"]
    assert books.count_sms_faults(sent_to) == SmsFaults(without=1, repeated=1, unexpected=1)


def test_a_summary_of_the_same_registrations_does_not_differ(books: Books) -> None:
    assert books.list_summary_differences(make_summary()) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"counts": {"captures": 3, "created": 2, "registered": 3}}, ["counts.created: 2 and not 3"]),
        ({"by_client": {"van-1": 3}}, ["by_client.bot-1: 0 and not 1", "by_client.van-1: 3 and not 2"]),
        ({"by_channel": {"van": 2, "bot": 1, "web": 1}}, ["by_channel.web: 1 and not 0"]),
    ],
)
def test_every_figure_that_differs_is_named(
    books: Books, changes: dict[str, object], expected: list[str]
) -> None:
    assert books.list_summary_differences(make_summary(**changes)) == expected
