"""Create the wrapped data keys of a stage."""

from chalicelib.clock import utc_now
from chalicelib.crypto.keyring import FIELD_PURPOSE, HASH_PURPOSE, RESCUE_PURPOSE
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.crypto.store import DynamoWrappedKeys
from ops.deploy.stages import Stage
from ops.key_lock import hold_lock, make_key_changes


def create_missing_keys(stage: Stage) -> None:
    """Add a data key for each purpose that has none. No key leaves KMS unwrapped.

    Raise KeysBusy: of two deployments at once, each would add one.
    """
    wrapped_keys = DynamoWrappedKeys(stage.aws_client("dynamodb"), stage.outputs["KeysTableName"])
    wrapper = KMSKeyWrapper(stage.aws_client("kms"), stage.outputs["FieldKeyArn"])
    with hold_lock(make_key_changes(stage)):
        for purpose in (FIELD_PURPOSE, HASH_PURPOSE, RESCUE_PURPOSE):
            if not any(wrapped_keys.iter_by_purpose(purpose)):
                wrapped_keys.add(wrapper.generate(purpose, now=utc_now()))
