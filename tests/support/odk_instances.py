"""Filled forms as ODK Collect writes them, from captures as other devices send them."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from tests.support.payloads import make_capture_payload

GROUPS = ("shift", "worker", "work", "coverage", "consent")


def make_instance_id() -> str:
    return f"uuid:{uuid4()}"


def make_instance(
    version: str,
    capture: Mapping[str, Any] | None = None,
    *,
    instance_id: str | None = None,
    deprecated_id: str | None = None,
    **answers: str | None,
) -> str:
    """Return the form filled with a capture. `worker__name="..."` changes an answer; None removes it."""
    capture = make_capture_payload() if capture is None else capture
    found = list_answers(capture) | {path.replace("__", "."): text for path, text in answers.items()}
    meta = {"instanceID": instance_id or make_instance_id(), "deprecatedID": deprecated_id}
    groups = "".join(f"<{group}>{_make_leaves(found, f'{group}.')}</{group}>" for group in GROUPS)
    leaves = _make_leaves({path: text for path, text in found.items() if "." not in path})
    ids = "".join(f"<{name}>{text}</{name}>" for name, text in meta.items() if text is not None)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><data id="{escape(capture["campaign_id"])}" '
        f'version="{version}" xmlns:orx="http://openrosa.org/xforms">'
        f"{leaves}{groups}<meta>{ids}</meta></data>"
    )


def _make_leaves(answers: Mapping[str, str | None], prefix: str = "") -> str:
    return "".join(
        f"<{path.removeprefix(prefix)}>{escape(text)}</{path.removeprefix(prefix)}>"
        for path, text in answers.items()
        if path.startswith(prefix) and text is not None
    )


def list_answers(capture: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the answers that an officer gives for a capture, by the path of the question."""
    worker, work, coverage, consent = (capture[name] for name in GROUPS[1:])
    return {
        "start": capture["captured_at"],
        "end": capture["captured_at"],
        "deviceid": "collect:example",
        "shift.officer": capture.get("officer") or "",
        **{f"worker.{name}": "" if value is None else str(value) for name, value in worker.items()},
        "work.occupations": " ".join(work["occupations"]),
        "work.place": work["place"],
        "work.monthly_income": str(work["monthly_income"]),
        "work.employs_others": "yes" if work["employs_others"] else "no",
        "coverage.programmes": "_".join(coverage["programmes"]),
        "coverage.months": str(coverage["months"]),
        "coverage.payer": coverage["payer"],
        "coverage.sponsor_id": coverage.get("sponsor_id", ""),
        "consent.agreed": "OK",
        "consent.given_at": consent["given_at"],
        "consent.text_version": consent["text_version"],
    }
