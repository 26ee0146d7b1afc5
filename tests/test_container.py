"""Building clients: what the SDK reads less of than it could changes nothing that it does."""

from typing import Any

import botocore.session
import pytest

from chalicelib.aws.clients import ServiceDataLoader

OURS = ServiceDataLoader().list_available_services("service-2")


def asked(service: str, session: botocore.session.Session) -> tuple[Any, ...]:
    """Where a client would send its requests, and how it would sign them."""
    client = session.create_client(service, region_name="ap-southeast-3")
    return (
        client.meta.endpoint_url,
        client.meta.partition,
        client.meta.config.signature_version,
        client.meta.service_model.signing_name,
    )


@pytest.mark.parametrize("service", OURS)
def test_a_service_is_asked_where_the_sdks_whole_list_has_it_and_signed_for_alike(service: str) -> None:
    briefed = botocore.session.get_session()
    briefed.register_component("data_loader", ServiceDataLoader())
    assert asked(service, briefed) == asked(service, botocore.session.get_session())
