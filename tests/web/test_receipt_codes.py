"""The code on a receipt, which the server makes again from the capture's id."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.searches.receipt_codes import make_receipt_code
from tests.support.javascript import JavaScriptRules

NUMBERS = st.integers(0, 2**128 - 1)


def set_version(number: int, version: int) -> str:
    """Return a UUID of a version; `UUID` itself knows no version above 5."""
    return str(UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | (version << 76) | (0x2 << 62)))


@given(number=NUMBERS)
def test_the_server_makes_the_code_that_the_web_app_shows(
    javascript_rules: JavaScriptRules, number: int
) -> None:
    capture_id = set_version(number, 7)

    shown = javascript_rules.call("short-codes.js", "makeShortCode", capture_id)

    assert make_receipt_code(capture_id) == shown.replace("-", "")


def test_odk_collect_shows_the_last_eight_digits_of_its_id() -> None:
    assert make_receipt_code("0b8a3c1e-54f2-4d53-9a77-1c5d02ab93ef") == "02AB93EF"
