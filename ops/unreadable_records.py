"""Find the records of a stage that cannot be read, with the operator's own rights."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib.campaigns.store import parse_campaign
from chalicelib.clock import utc_now
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.crypto.keyring import Keyring
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.crypto.store import DynamoWrappedKeys
from chalicelib.notifications.store_items import check_readable as check_sms
from chalicelib.refusals import RecordUnreadable
from chalicelib.registrations.store_readability import check_readable as check_registration
from chalicelib.reviews.store import check_readable as check_review_item
from ops.deploy.stages import Stage
from ops.sealed_items import iter_pages

# The tables that are searched, and the function that raises RecordUnreadable for an item of it.
CHECKED_TABLES: Mapping[str, Callable[[Mapping[str, Any], FieldCipher], object]] = {
    "RegistrationsTable": check_registration,
    "CampaignsTable": parse_campaign,
    "SmsLedgerTable": lambda values, _: check_sms(values),
    "ReviewsTable": check_review_item,
}


def iter_unreadable(stage: Stage, on_progress: Callable[[str], object]) -> Iterator[RecordUnreadable]:
    """Yield the error of each record that cannot be read."""
    dynamodb = stage.aws_client("dynamodb")
    keyring = Keyring(
        wrapped_keys=DynamoWrappedKeys(dynamodb, stage.outputs["KeysTableName"]),
        key_wrapper=KMSKeyWrapper(stage.aws_client("kms"), stage.outputs["FieldKeyArn"]),
        clock=utc_now,
    )
    cipher = FieldCipher(keyring.get_field_keys, keyring.refresh_field_keys)
    for table, check in CHECKED_TABLES.items():
        seen_count = 0
        for page in iter_pages(dynamodb, stage.outputs[f"{table}Name"]):
            for item in page:
                seen_count += 1
                try:
                    check(item, cipher)
                except RecordUnreadable as error:
                    yield error
        on_progress(f"{table}: {seen_count} items read")
