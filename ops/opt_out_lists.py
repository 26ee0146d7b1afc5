"""The lists that keep SMS from a phone: ours, and the one that AWS keeps for the account."""

from typing import Any

from chalicelib.clock import utc_now
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.crypto.keyring import Keyring
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.crypto.store import DynamoWrappedKeys
from chalicelib.registrations.phone import Phone
from ops.aws_errors import AWS_ERRORS, get_error_code
from ops.deploy.stages import Stage
from ops.errors import OperationError

# The list that AWS applies to a sender id, unless the id is in a pool with a list of its own.
_AWS_OPT_OUT_LIST = "Default"


class AwsListUnavailable(Exception):
    """AWS did not answer whether it holds a number; the message is AWS's error code."""


def hash_phone(stage: Stage, phone: Phone) -> str:
    """Return the keyed hash of a phone, as our own list holds it."""
    keyring = Keyring(
        wrapped_keys=DynamoWrappedKeys(stage.aws_client("dynamodb"), stage.outputs["KeysTableName"]),
        key_wrapper=KMSKeyWrapper(stage.aws_client("kms"), stage.outputs["FieldKeyArn"]),
        clock=utc_now,
    )
    return KeyedHash(keyring.get_hash_key).digest("phone", phone)


def is_on_aws_list(stage: Stage, phone: Phone) -> bool:
    """Return True if AWS sends nothing to a phone. Raise AwsListUnavailable."""
    try:
        described = _make_sms_client(stage).describe_opted_out_numbers(
            OptOutListName=_AWS_OPT_OUT_LIST, OptedOutNumbers=[phone]
        )
    except AWS_ERRORS as error:
        if get_error_code(error) == "ResourceNotFoundException":
            return False
        raise AwsListUnavailable(get_error_code(error)) from None
    return bool(described["OptedOutNumbers"])


def remove_from_aws_list(stage: Stage, phone: Phone) -> bool:
    """Remove a phone from AWS's list. Return False if it was not on the list.

    Raise AwsListUnavailable, or OperationError if AWS keeps the phone on its list.
    """
    if not is_on_aws_list(stage, phone):
        return False
    try:
        _make_sms_client(stage).delete_opted_out_number(
            OptOutListName=_AWS_OPT_OUT_LIST, OptedOutNumber=phone
        )
    except AWS_ERRORS as error:
        raise OperationError(
            f"AWS keeps the number on its own list and sends it nothing ({get_error_code(error)}); "
            "a number can be removed from that list once in 30 days. The opt-out was not lifted"
        ) from None
    return True


def _make_sms_client(stage: Stage) -> Any:
    return stage.aws_client("pinpoint-sms-voice-v2")
