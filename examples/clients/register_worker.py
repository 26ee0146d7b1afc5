"""Register an invented worker with a generated client: `register_worker.py CAMPAIGN_ID NIK`."""

import json
import os
import sys
from datetime import date, datetime
from uuid import uuid4

from daftar_client import AuthenticatedClient
from daftar_client.api.registrations import submit_registration
from daftar_client.models import (
    AnswerView,
    Consent,
    ConsentMethod,
    Coverage,
    Months,
    OccupationId,
    Payer,
    Problem,
    Programme,
    SubmitRegistration,
    Work,
    WorkerAsTyped,
)


def make_capture(campaign_id: str, nik: str) -> SubmitRegistration:
    """Return the capture of one worker, as a device at the market would make it."""
    return SubmitRegistration(
        capture_id=uuid4(),
        campaign_id=campaign_id,
        captured_at=datetime.fromisoformat("2024-10-09T09:12:00+07:00"),
        officer="ofc-12",
        worker=WorkerAsTyped(
            nik=nik,
            name="Melati Kusumawati",
            birth_date=date(1985, 4, 12),
            phone="0824-5559-1001",
            address="Jalan Contoh 7",
            postal_code="10250",
        ),
        work=Work(
            occupations=[OccupationId.PORTER], place="Blok A", monthly_income=2_500_000, employs_others=False
        ),
        coverage=Coverage(programmes=[Programme.JKK, Programme.JKM], months=Months.VALUE_3, payer=Payer.SELF),
        consent=Consent(
            text_version="2024-10",
            given_at=datetime.fromisoformat("2024-10-09T09:11:30+07:00"),
            method=ConsentMethod.TICK,
        ),
    )


def main(campaign_id: str, nik: str) -> None:
    client = AuthenticatedClient(base_url=os.environ["DAFTAR_URL"], token=os.environ["DAFTAR_TOKEN"])
    response = submit_registration.sync_detailed(
        client=client, body=make_capture(campaign_id, nik), accept_language="en"
    )
    match response.parsed:
        case AnswerView(outcome=outcome, reference=reference, status=status):
            answer = {"outcome": outcome, "reference": reference, "status": status}
        case Problem(code=code, errors=errors):
            answer = {"code": code, "errors": [error.to_dict() for error in errors or []]}
        case other:
            sys.exit(f"status {response.status_code.value}: {other}")
    print(json.dumps(answer))  # noqa: T201 - this is a command
    sys.exit(isinstance(response.parsed, Problem))


if __name__ == "__main__":
    main(*sys.argv[1:])
