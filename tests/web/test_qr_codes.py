"""The QR codes of the console, held against another encoder, module by module."""

import json
import shutil

import pytest
import segno
import segno.encoder

from chalicelib.web.site import CONSOLE_DIRECTORY
from tests.web.test_texts import run_in_node

ENCODER = json.dumps((CONSOLE_DIRECTORY / "scripts" / "qr-code.js").as_uri())

# Lengths on both sides of what a version holds, and up to a whole setup of ODK Collect.
TEXTS = [
    *("https://daftar.example/api/app#enrol=K7M2Q4XP", "", "é€" * 5),
    *("x" * length for length in (14, 15, 122, 123, 180, 181, 213, 214, 500, 900, 2331)),
]


@pytest.fixture(autouse=True)
def _mended_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep segno 1.6.6 from adding a byte of zeros where the text ends with a byte: readers pass over it."""
    monkeypatch.setattr(
        segno.encoder, "write_padding_bits", lambda bits, _, length: bits.extend([0] * (-length % 8))
    )


def encode(text: str, mask: int | None) -> list[list[bool]]:
    if shutil.which("node") is None:
        pytest.skip("Node is not installed: the console's QR codes are made with it")
    arguments = ", ".join(map(json.dumps, (text, mask) if mask is not None else (text,)))
    program = f"import({ENCODER}).then(m => console.log(JSON.stringify(m.encodeQrCode({arguments}))))"
    modules: list[list[bool]] = run_in_node(program)
    return modules


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: f"{len(text)} letters")
@pytest.mark.parametrize("mask", [0, 5])
def test_a_code_has_the_modules_of_another_encoder(text: str, mask: int) -> None:
    modules = encode(text, mask)
    expected = segno.make_qr(
        text or " ", error="m", mode="byte", mask=mask, boost_error=False, encoding="utf-8", eci=False
    )
    if text:
        assert modules == [[bool(module) for module in row] for row in expected.matrix]
    else:
        assert len(modules) == 21


@pytest.mark.parametrize("mask", range(8))
def test_every_mask_has_the_modules_of_another_encoder(mask: int) -> None:
    expected = segno.make_qr("Daftar", error="m", mode="byte", mask=mask, boost_error=False)
    assert encode("Daftar", mask) == [[bool(module) for module in row] for row in expected.matrix]


def test_without_a_mask_one_of_the_eight_is_chosen() -> None:
    assert encode(TEXTS[0], None) in [encode(TEXTS[0], mask) for mask in range(8)]


def test_a_text_that_no_code_holds_is_refused() -> None:
    program = (
        f"import({ENCODER}).then(m => {{ try {{ m.encodeQrCode('x'.repeat(2332)); console.log('null'); }} "
        "catch (error) { console.log(JSON.stringify(error.name)); } })"
    )
    assert run_in_node(program) == "RangeError"
