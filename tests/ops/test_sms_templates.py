"""What may not be published: each rule, broken once."""

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.notifications import templates
from chalicelib.notifications.templates import parse_templates
from ops.deploy import sms_templates

KEPT = json.loads(Path(templates.__file__).with_name("templates.json").read_text(encoding="utf-8"))


def faults(words: str, purpose: str = "received", **changes: Any) -> list[str]:
    """What is found in a template whose Indonesian words are these."""
    kept = {**KEPT[purpose], **changes}
    kept["texts"] = {**kept["texts"], "id": words}
    (made,) = parse_templates({purpose: kept}).values()
    return list(sms_templates.find_faults(made))


def test_what_we_ship_may_be_published() -> None:
    sms_templates.check_templates()


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("Data {name} diterima BPJAMSOSTEK, {reference}", "id: does not begin with BPJAMSOSTEK"),
        ("BPJAMSOSTEK: {name} {reference} lihat bpjs.id", "id: holds a link"),
        ("BPJAMSOSTEK: {name} {reference} https", None),
        ("BPJAMSOSTEK: {name} {reference} www.bpjs", "id: holds a link"),
        ("BPJAMSOSTEK: {name} {reference} PIN Anda", "id: says 'PIN', which operators filter"),
        (
            "BPJAMSOSTEK: {name} {reference} Kode Verifikasi",
            "id: says 'Kode Verifikasi', which operators filter",
        ),
        ("BPJAMSOSTEK: {name} {reference} kode bayar", None),
        ("BPJAMSOSTEK: {name} {reference} hubungi 1500910", "id: holds a run of digits over 3"),
        ("BPJAMSOSTEK: {name} {reference} hubungi 175", None),
        ("BPJAMSOSTEK: {name} {reference} Reply STOP", "id: asks for an answer"),
        ("BPJAMSOSTEK: {name} {reference} balas YA", "id: asks for an answer"),
        ("BPJAMSOSTEK: {name} {reference} sudah terlindungi", "id: says protected before payment"),
        ("BPJAMSOSTEK: {name} {reference} is protected", "id: says protected before payment"),
        ("BPJAMSOSTEK: {name} {reference} belum terlindungi", None),
        ("BPJAMSOSTEK: {name} {reference} not yet protected", None),
        ("BPJAMSOSTEK: {name} {reference} č", "id: leaves the GSM-7 alphabet"),
        ("BPJAMSOSTEK: {name} {reference} [A]", "id: holds a character that counts twice"),
        ("BPJAMSOSTEK: {name} {reference}" + 111 * "x", None),
        ("BPJAMSOSTEK: {name} {reference}" + 112 * "x", "id: takes 161 septets when full"),
        ("BPJAMSOSTEK: {name}", "id: uses ['name'] and declares ['name', 'reference']"),
    ],
)
def test_each_rule_is_seen_broken(words: str, fault: str | None) -> None:
    assert faults(words) == ([] if fault is None else [fault])


def test_who_has_paid_may_be_called_protected() -> None:
    words = "BPJAMSOSTEK: {name} {reference} sudah terlindungi"
    assert faults(words, after_payment=True) == []


def test_a_field_that_is_told_as_it_is_may_not_bring_a_long_run_of_digits() -> None:
    fields = {"name": {"kind": "name", "septets": 24}, "reference": {"kind": "reference", "septets": 11}}
    assert faults(KEPT["received"]["texts"]["id"].replace("{reference}", "{reference}7"), fields=fields) == [
        "id: holds a run of digits over 3"
    ]


def test_a_template_is_worded_in_every_language() -> None:
    kept = {**KEPT["received"], "texts": {"id": KEPT["received"]["texts"]["id"]}}
    (made,) = parse_templates({"received": kept}).values()
    assert list(sms_templates.find_faults(made)) == ["is worded in ['id'], not in ['en', 'id']"]
