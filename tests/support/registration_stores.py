"""The stores of the registrations package on one table."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib.crypto.encryption import FieldCipher
from chalicelib.randomness import generate_write_id
from chalicelib.registrations.model import Registration
from chalicelib.registrations.store_corrections import DynamoCorrectionStore
from chalicelib.registrations.store_erasure import DynamoErasureStore
from chalicelib.registrations.store_intake import DynamoIntakeStore
from chalicelib.registrations.store_lifecycle import DynamoLifecycleStore
from chalicelib.registrations.store_reading import DynamoReadingStore
from chalicelib.registrations.store_unusual import DynamoUnusualClients
from tests.support.lifecycle_builders import make_matching_capture
from tests.support.registration_builders import PHONE_COUNT


@dataclass(frozen=True)
class RegistrationStores:
    """The stores of intake, lifecycle, corrections, reading, erasure and unusual clients."""

    intake: DynamoIntakeStore
    lifecycle: DynamoLifecycleStore
    corrections: DynamoCorrectionStore
    reading: DynamoReadingStore
    erasure: DynamoErasureStore
    unusual_clients: DynamoUnusualClients


def open_registration_stores(client: Any, table_name: str, cipher: FieldCipher) -> RegistrationStores:
    """Return the stores on the table `table_name`. They record no change in the audit trail."""
    return RegistrationStores(
        intake=DynamoIntakeStore(client, table_name, cipher, build_audit_write=None),
        lifecycle=DynamoLifecycleStore(client, table_name, cipher, build_audit_write=None),
        corrections=DynamoCorrectionStore(client, table_name, cipher, build_audit_write=None),
        reading=DynamoReadingStore(client, table_name, cipher),
        erasure=DynamoErasureStore(
            client, table_name, cipher, new_id=generate_write_id, build_audit_write=None
        ),
        unusual_clients=DynamoUnusualClients(client, table_name, retention=timedelta(days=90)),
    )


def add(stores: RegistrationStores, *registrations: Registration) -> Registration:
    """Store registrations with their captures. Return the last one."""
    for registration in registrations:
        stores.intake.add(registration, make_matching_capture(registration), PHONE_COUNT)
    return registrations[-1]


def replace_with(
    stores: RegistrationStores, registration: Registration, changed: Registration
) -> Registration:
    """Store the next version of a registration, and return it."""
    stores.lifecycle.replace(changed, previous=registration)
    return changed
