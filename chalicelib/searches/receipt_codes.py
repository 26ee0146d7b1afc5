"""The codes on the receipts of captures. Pure."""

from uuid import UUID

from chalicelib.registrations import references

_CODE_LENGTH = 8
_RANDOM_DIGITS = 12
_TIME_ORDERED_VERSION = 7


def make_receipt_code(capture_id: str) -> str:
    """Return the code on the receipt of a capture, without hyphens.

    The web app shows 39 of the random bits of its ids, which are of version 7, in the alphabet of references
    (`web/static/rules/short-codes.js`). ODK Collect, which makes other ids, shows their last eight digits.
    """
    digits = UUID(capture_id).hex
    if UUID(capture_id).version != _TIME_ORDERED_VERSION:
        return digits[-_CODE_LENGTH:].upper()
    rest, code = int(digits[-_RANDOM_DIGITS:], 16), ""
    for _ in range(_CODE_LENGTH):
        rest, index = divmod(rest, len(references.ALPHABET))
        code = references.ALPHABET[index] + code
    return code
