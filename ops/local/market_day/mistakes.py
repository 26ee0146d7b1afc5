"""The mistakes of officers: invalid NIKs and phones."""

from collections.abc import Callable

from ops.local.market_day.lines import RefusalReason
from ops.local.market_day.people import NO_PROVINCE, UNASSIGNED_MOBILE_PREFIXES
from ops.local.market_day.randomness import RandomSource
from ops.local.market_day.setting import THURSDAY, WEDNESDAY, Body

CORRECTED_MISTAKES = {
    WEDNESDAY: (
        RefusalReason.NIK_TOO_SHORT,
        RefusalReason.NIK_DATE,
        RefusalReason.NIK_TOO_LONG,
        RefusalReason.PHONE_LANDLINE,
    ),
    THURSDAY: (
        RefusalReason.NIK_TOO_SHORT,
        RefusalReason.NIK_DATE,
        RefusalReason.NIK_SERIAL,
        RefusalReason.PHONE_TOO_SHORT,
    ),
}
"""Mistakes that the officer corrects: a valid capture of the same worker follows some minutes later."""

UNCORRECTED_MISTAKES = {
    WEDNESDAY: (RefusalReason.NIK_SERIAL, RefusalReason.NIK_PROVINCE, RefusalReason.PHONE_LANDLINE),
    THURSDAY: (RefusalReason.NIK_DATE, RefusalReason.NIK_TOO_LONG, RefusalReason.PHONE_LANDLINE),
}
"""Mistakes that nobody corrects: these workers are not registered."""


def _mistype_nik(change: Callable[[str, RandomSource], str]) -> Callable[[Body, RandomSource], None]:
    def mistype(body: Body, source: RandomSource) -> None:
        digits = "".join(character for character in body["worker"]["nik"] if character.isdigit())
        body["worker"]["nik"] = change(digits, source)

    return mistype


def _replace_phone(make_phone: Callable[[RandomSource], str]) -> Callable[[Body, RandomSource], None]:
    def replace(body: Body, source: RandomSource) -> None:
        body["worker"]["phone"] = make_phone(source)

    return replace


# No landline in Jakarta begins with 1: these numbers belong to nobody.
MAKE_MISTAKE: dict[RefusalReason, Callable[[Body, RandomSource], None]] = {
    RefusalReason.NIK_TOO_SHORT: _mistype_nik(
        lambda nik, source: nik[: (cut := source.between(6, 15))] + nik[cut + 1 :]
    ),
    RefusalReason.NIK_TOO_LONG: _mistype_nik(
        lambda nik, source: nik[: (cut := source.between(6, 15))] + nik[cut] + nik[cut:]
    ),
    RefusalReason.NIK_DATE: _mistype_nik(
        lambda nik, source: nik[:6] + source.pick(("3102", "0013", "3511", "7204")) + nik[10:]
    ),
    RefusalReason.NIK_SERIAL: _mistype_nik(lambda nik, _: nik[:12] + "0000"),
    RefusalReason.NIK_PROVINCE: _mistype_nik(lambda nik, _: NO_PROVINCE + nik[2:]),
    RefusalReason.PHONE_LANDLINE: _replace_phone(
        lambda source: f"021-1{source.digits(3)}-{source.digits(4)}"
    ),
    RefusalReason.PHONE_TOO_SHORT: _replace_phone(
        lambda source: f"0{source.pick(UNASSIGNED_MOBILE_PREFIXES)}-{source.digits(4)}"
    ),
}
