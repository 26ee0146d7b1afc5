"""Rules of SMS templates: each rule broken once."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.notifications import templates
from chalicelib.notifications.templates import parse_templates
from ops.deploy import sms_templates

TEMPLATES = json.loads(Path(templates.__file__).with_name("templates.json").read_text(encoding="utf-8"))


def find_template_faults(body: str, purpose: str = "received", **changes: Any) -> list[str]:
    """Return the faults of a template with this Indonesian body."""
    data = {**TEMPLATES[purpose], **changes}
    data["texts"] = {**data["texts"], "id": body}
    (template,) = parse_templates(json.dumps({purpose: data})).values()
    return list(sms_templates.find_faults(template))


def test_our_templates_have_no_faults() -> None:
    sms_templates.check_templates()


@pytest.mark.parametrize(
    ("body", "fault"),
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
def test_a_broken_rule_is_found(body: str, fault: str | None) -> None:
    assert find_template_faults(body) == ([] if fault is None else [fault])


def test_a_template_after_payment_may_say_protected() -> None:
    body = "BPJAMSOSTEK: {name} {reference} sudah terlindungi"
    assert find_template_faults(body, after_payment=True) == []


def test_a_field_may_not_extend_a_run_of_digits() -> None:
    fields = {"name": {"kind": "name", "septets": 24}, "reference": {"kind": "reference", "septets": 11}}
    body = TEMPLATES["received"]["texts"]["id"].replace("{reference}", "{reference}7")
    assert find_template_faults(body, fields=fields) == ["id: holds a run of digits over 3"]


def test_a_template_needs_every_language() -> None:
    data = {**TEMPLATES["received"], "texts": {"id": TEMPLATES["received"]["texts"]["id"]}}
    (template,) = parse_templates(json.dumps({"received": data})).values()
    assert list(sms_templates.find_faults(template)) == ["has bodies in ['id'], not in ['en', 'id']"]


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "1"},
        {"version": True},
        {"version": 1.0},
        {"deadline_hours": 0},
        {"deadline_hours": "36"},
        {"duplicate_harmless": "false"},
        {"after_payment": 1},
        {"kind": "letter"},
        {"fields": {"name": {"kind": "name", "septets": "24"}}},
        {"texts": {"id": 1}},
        {"after_paymnet": True},
    ],
)
def test_a_template_with_a_value_of_another_type_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse_templates(json.dumps({"received": {**TEMPLATES["received"], **changes}}))


def test_a_template_with_a_key_twice_is_refused() -> None:
    text = json.dumps({"received": TEMPLATES["received"]}).replace('"version"', '"version": 2, "version"')
    with pytest.raises(ValueError, match="version is written twice"):
        parse_templates(text)
