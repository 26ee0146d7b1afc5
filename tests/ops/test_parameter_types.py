"""Parameters of commands that take one written form only."""

from datetime import date

import click
import pytest

from ops.commands.parameter_types import DAY, KEY_ID, WHOLE_NUMBER


def test_a_day_is_written_with_its_zeros() -> None:
    assert DAY.convert("2024-10-09", None, None) == date(2024, 10, 9)


@pytest.mark.parametrize("text", ["2024-1-9", "20241009", "2024-W41-3", "0", "2024-02-30", " 2024-10-09", ""])
def test_a_day_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        DAY.convert(text, None, None)


def test_a_number_is_written_in_digits() -> None:
    assert WHOLE_NUMBER.convert("24", None, None) == 24


@pytest.mark.parametrize("text", ["+3", "3_0", " 3", "3.0", "03", "\u0663", ""])
def test_a_number_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        WHOLE_NUMBER.convert(text, None, None)


def test_the_id_of_a_key_is_written_as_it_was_printed() -> None:
    assert KEY_ID.convert("field-2026-11-29T10:35:40.594Z", None, None) == "field-2026-11-29T10:35:40.594Z"


@pytest.mark.parametrize("text", ["", "field", "field-", "Field-2026", "field-2026 11", "field-1/token"])
def test_another_text_is_no_id_of_a_key(text: str) -> None:
    with pytest.raises(click.BadParameter):
        KEY_ID.convert(text, None, None)
