"""Phone numbers by the metadata of a library, which takes as long to import as all of `registrations`.

So `phone` reads the usual forms of a mobile number itself, and asks here about all others.
"""

from enum import Enum

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType

from chalicelib.values import Value

_REGION = "ID"
# The kinds of numbers in the library's metadata that no SMS is sent to.
_OTHER_KINDS = (
    *("fixed_line", "toll_free", "premium_rate", "shared_cost"),
    *("personal_number", "voip", "pager", "uan", "voicemail"),
)


class Kind(Enum):
    """The kinds of numbers that `phone` tells apart."""

    MOBILE = "mobile"
    NOT_MOBILE = "not_mobile"
    FOREIGN = "foreign"


class NumberingPlan(Value):
    """The form of mobile numbers in Indonesia, by the metadata of the library."""

    country_code: str
    trunk_prefix: str
    national_pattern: str
    other_pattern: str


def read_numbering_plan() -> NumberingPlan:
    """Return the plan. Raise LookupError if the library does not know it."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(_REGION)
    if metadata is None or metadata.mobile is None or not metadata.mobile.national_number_pattern:
        raise LookupError(f"no mobile numbers of {_REGION}")
    return NumberingPlan(
        country_code=str(phonenumbers.country_code_for_region(_REGION)),
        trunk_prefix=phonenumbers.ndd_prefix_for_region(_REGION, strip_non_digits=True) or "",
        national_pattern=metadata.mobile.national_number_pattern,
        other_pattern="|".join(
            pattern
            for kind in _OTHER_KINDS
            if (pattern := getattr(getattr(metadata, kind), "national_number_pattern", None))
        ),
    )


def find_kind(dialled: str) -> Kind | None:
    """Return the kind of a dialled number, or None if there is no such number."""
    number = _parse(dialled)
    if number is None:
        return None
    if number.country_code != phonenumbers.country_code_for_region(_REGION):
        return Kind.FOREIGN
    if not phonenumbers.is_valid_number_for_region(number, _REGION):
        return None
    return Kind.MOBILE if phonenumbers.number_type(number) is PhoneNumberType.MOBILE else Kind.NOT_MOBILE


def is_number(dialled: str) -> bool:
    """Return True for a number of Indonesia, mobile or not."""
    number = _parse(dialled)
    return number is not None and phonenumbers.is_valid_number_for_region(number, _REGION)


def format_number(dialled: str) -> str:
    """Return a number without a mistake in E.164 form."""
    number = phonenumbers.parse(dialled, _REGION)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parse(dialled: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(dialled, _REGION)
    except phonenumbers.NumberParseException:
        return None
