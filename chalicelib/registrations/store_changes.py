"""The write of a changed registration, for every store that changes one."""

from chalicelib.aws.table import Table, Write
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.model import Registration
from chalicelib.registrations.store_items import build_registration
from chalicelib.registrations.store_keys import make_deletions_key


def put_next_version(
    table: Table, registration: Registration, cipher: FieldCipher, *, previous_version: int
) -> Write:
    """Return the write that stores a changed registration, if no other writer changed it before."""
    return table.put(
        build_registration(registration, cipher),
        "version = :version",
        compared={":version": previous_version},
        returns_current=True,
    )


def count_deletion(table: Table, campaign_id: str, counter: str) -> Write:
    """Return the write that counts a deletion by retention: of `registrations` or `identities`."""
    return table.update(
        make_deletions_key(campaign_id),
        "ADD #counter :one",
        compared={":one": 1},
        names={"#counter": counter},
    )
