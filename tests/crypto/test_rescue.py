"""Rescue files: sealed by another library, opened with the stage's secret, and with no other."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.crypto.rescue import RescueKey, RescueKeys, RescueNotOpened, SealedRescue
from tests.support.rescue_files import decode, seal

KEY = RescueKey("rescue-2", b"\x07" * 32)


def make_sealed(content: bytes, key: RescueKey = KEY) -> SealedRescue:
    file = seal(content, key_id=key.key_id, public_key=key.public_key)
    return SealedRescue(
        file["key_id"], *(decode(file[name]) for name in ("ephemeral_public_key", "nonce", "ciphertext"))
    )


@given(content=st.binary(max_size=200), secret=st.binary(min_size=32, max_size=32))
def test_a_file_is_opened_with_the_secret_of_its_key(content: bytes, secret: bytes) -> None:
    key = RescueKey("rescue-1", secret)
    assert key.open(make_sealed(content, key)) == content


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32], ids=["zeros", "ones"])
def test_every_secret_makes_a_key(secret: bytes) -> None:
    key = RescueKey("rescue-1", secret)
    assert (len(key.public_key), key.public_key[0]) == (65, 4)
    assert key.open(make_sealed(b"content", key)) == b"content"


def test_another_secret_opens_nothing() -> None:
    with pytest.raises(RescueNotOpened):
        RescueKey("rescue-2", b"\x08" * 32).open(make_sealed(b"content"))


@pytest.mark.parametrize("part", ["key_id", "ephemeral_public_key", "nonce", "ciphertext"])
@pytest.mark.parametrize("position", [0, -1])
def test_any_changed_byte_is_detected(part: str, position: int) -> None:
    sealed = make_sealed(b"content")
    value = getattr(sealed, part)
    changed = bytearray(value.encode() if isinstance(value, str) else value)
    changed[position] ^= 1
    altered: Any = changed.decode() if isinstance(value, str) else bytes(changed)
    with pytest.raises(RescueNotOpened):
        KEY.open(replace(sealed, **{part: altered}))


@pytest.mark.parametrize(
    "point", [b"", b"\x04" + bytes(64), b"\x04" + b"\xff" * 64, b"\x00", b"\x02" + b"\x01" * 32]
)
def test_what_is_no_point_of_the_curve_is_refused(point: bytes) -> None:
    with pytest.raises(RescueNotOpened):
        KEY.open(replace(make_sealed(b"content"), ephemeral_public_key=point))


@pytest.mark.parametrize("ciphertext", [b"", b"short", bytes(16)])
def test_what_is_too_short_is_refused(ciphertext: bytes) -> None:
    with pytest.raises(RescueNotOpened):
        KEY.open(replace(make_sealed(b"content"), ciphertext=ciphertext))


def test_new_files_are_sealed_for_the_newest_key_and_older_ones_are_opened() -> None:
    stored = {"rescue-1": b"\x01" * 32}
    keys = RescueKeys(lambda: dict(stored))
    older = keys.get_current()
    assert older is not None
    file = make_sealed(b"older", older)
    stored["rescue-2"] = KEY.secret

    assert keys.open(make_sealed(b"newer")) == b"newer"
    assert keys.open(file) == b"older"
    assert keys.get_current() == KEY


def test_a_file_for_a_key_of_another_stage_is_refused() -> None:
    with pytest.raises(RescueNotOpened):
        RescueKeys(dict).open(make_sealed(b"content"))
    assert RescueKeys(dict).get_current() is None


def test_a_secret_is_not_in_its_public_key() -> None:
    assert urlsafe_b64encode(KEY.secret) not in urlsafe_b64encode(KEY.public_key)
