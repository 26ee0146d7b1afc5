"""Codes for devices: how they look, how they may be typed, and the digits that end the mode of a kiosk."""

import hashlib
from itertools import count

import pytest

from chalicelib.enrolments.model import Code, ExitCode, generate_exit_code
from chalicelib.randomness import random_index


def test_a_code_has_eight_characters_without_look_alikes() -> None:
    codes = {Code.generate(random_index).text for _ in range(200)}
    assert len(codes) == 200
    assert {len(code) for code in codes} == {8}
    assert set("".join(codes)) <= set("23456789ABCDEFGHJKMNPQRSTVWXYZ")


@pytest.mark.parametrize(
    "typed",
    ["K7M2Q4XP", "k7m2q4xp", "K7M2-Q4XP", " k7m2 q4xp ", "K7-M2-Q4-XP", "\uff2b7M2Q4XP", "K7M2\u200bQ4XP"],
)
def test_a_code_may_be_typed_in_any_case_and_grouping(typed: str) -> None:
    assert Code.parse(typed) == Code("K7M2Q4XP")


@pytest.mark.parametrize(
    "typed", ["", "K7M2Q4X", "K7M2Q4XPP", "K7M2Q4X0", "K7M2Q4XI", "K7M2Q4X\u0130", "K7M2_Q4XP"]
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert Code.parse(typed) is None


def test_the_first_half_finds_a_code() -> None:
    assert Code("K7M2Q4XP").locator == "K7M2"


def test_an_exit_code_has_six_digits() -> None:
    assert generate_exit_code(lambda below: 42) == "000042"
    assert len({generate_exit_code(random_index) for _ in range(50)}) > 40


def test_a_device_can_check_an_exit_code_by_its_salted_hash() -> None:
    kept = ExitCode.create("493021", b"salt")
    assert kept.hash == hashlib.pbkdf2_hmac("sha256", b"493021", b"salt", kept.iterations)
    assert kept.iterations >= 100_000
    salts = count()
    assert ExitCode.create("493021", str(next(salts)).encode()).hash != kept.hash
