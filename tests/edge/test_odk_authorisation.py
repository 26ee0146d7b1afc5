"""Whom the token in the path of an ODK route lets through."""

import pytest

from tests.edge.authorisation_matrix import (
    OTHER_CAMPAIGN,
    OWN_CAMPAIGN,
    Matrix,
    get_method,
    iter_cells,
)
from tests.edge.conftest import Edge, dump_stored_state
from tests.support.collect_phone import PhoneForm
from tests.support.odk_edge import make_phone
from tests.support.payloads import (
    make_campaign_payload,
)


def make_odk_path(route: str, token: str, form: PhoneForm) -> str:
    path = route.partition(" ")[2]
    values = {"form_id": form.form_id, "version": form.version, "filename": "occupations.csv"}
    return path.format(token=token, **values)


def test_a_token_in_the_path_opens_the_forms_of_the_own_campaigns_of_an_officers_device_alone(
    edge: Edge, subtests: pytest.Subtests
) -> None:
    """`test_odk_submissions.py` has the responses to submissions."""
    Matrix(edge)
    edge.send("POST", "/v1/campaigns", make_campaign_payload(campaign_id=OTHER_CAMPAIGN), caller="manager")
    phone = make_phone(edge, "kiosk own")
    phone.refresh_forms()
    form = phone.forms[OWN_CAMPAIGN]
    before = dump_stored_state()

    for route, role, word in iter_cells("path", "refused"):
        for owner in ("own", "other"):
            with subtests.test(route, role=role, owner=owner):
                path = make_odk_path(route, edge.tokens[f"{role} {owner}"], form)
                response = edge.send(get_method(route), path, caller=None)
                if word == "refused":
                    assert response.status_code == 403
                elif "{form_id}" in route:
                    assert response.status_code == (200 if owner == "own" else 404)
                else:
                    # A submission without a body is malformed, whoever sends it.
                    assert response.status_code < 300 or get_method(route) == "POST"
                    assert owner == "own" or OWN_CAMPAIGN not in response.body.decode()

    assert dump_stored_state() == before
