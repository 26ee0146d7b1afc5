"""Put the tables of a stage, as they were at a moment, into those of an empty stage."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.crypto.kms import build_context
from chalicelib.registrations.store_stream import COPIED_VERSION
from ops.aws_errors import get_error_code
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.restore.bringing_back import Progress
from ops.restore.copies import list_table_names, name_copies
from ops.restore.items import Item, get_key, iter_pages, read_items, read_key_names, write_items
from ops.restore.losses import Losses
from ops.restore.merging import Merged, Policy, choose_policies, merge
from ops.sealed_items import list_tables

# The old stage as it is now. Its copy comes over it, as the table's policy says.
_AS_IT_IS = Policy(keeps_changes=False, keeps_additions=True)

# The rate limiter's own state, and its stop, are the new stage's.
_LINE = "LINE"
# What is under way to people in chats: the old stage may still deliver it. It expires within days.
_MESSAGE = "OUT#"

_UNKNOWN = {
    "RegistrationsTable": "which captures came since: each device sends again from the number that is named",
    "ClientsTable": "which clients were enrolled and which tokens were revoked since",
    "CampaignsTable": "which campaigns were opened since",
    "SmsLedgerTable": "which SMS went out since: those of the last minutes before may go out twice",
    "SendingTable": "who opted out since, and which reports managers got",
    "RequestsTable": "who was erased since: each of them has to be erased again by hand",
    "ConversationsTable": "who stopped messages in a chat since, and which captures came by it",
    "ReviewsTable": "what managers looked at since",
    "AuditTable": "what clients did since",
    "KeysTable": "which keys were made since",
}


class KeysNotMovable(OperationError):
    """KMS does not give the old stage's data keys to the new one; the message says what is missing."""

    default_code = "keys_not_movable"


class Filling:
    """Puts the tables of the old stage into those of the new one. Every step may be repeated."""

    def __init__(
        self,
        old: Stage,
        new: Stage,
        moment: datetime,
        damaged: Collection[str],
        progress: Progress,
    ) -> None:
        self._old = old
        self._new = new
        self._policies = choose_policies(damaged)
        self._keep_lock = progress.keep_lock
        self._dynamodb = new.aws_client("dynamodb")
        self._copies = name_copies(old, moment)
        existing = list_table_names(old)
        named = {table: old.outputs[f"{table}Name"] for table in list_tables(old.outputs)}
        # The tables outlive the stack.
        self._live = {table: name for table, name in named.items() if name in existing}

    def find_losses(self) -> Losses:
        """Return what the old stage has now and the new one will not have, as far as that is known."""
        losses, table = Losses(), "RegistrationsTable"
        if table in self._live:
            live, policy = self._live[table], self._policies[table]
            self._merge(table, self._copies, live, policy, on_change=losses.record)
            return losses
        for page in iter_pages(self._dynamodb, self._copies[table]):
            self._keep_lock()
            for item in page:
                losses.record_last_number(item)
        return losses

    def merge_table(self, table: str, is_wanted: Callable[[Item], bool]) -> Merged:
        """Satisfies `MergeTable`: first what the old stage has now, as far as it is kept, then its copy."""
        if table == "KeysTable":
            return Merged(put_back=self.move_live_keys() + self._move_keys(self._copies[table]))
        policy, target = self._policies[table], self._new.outputs[f"{table}Name"]

        def is_of_stage(item: Item) -> bool:
            return is_wanted(item) and not _is_left_out(item)

        def is_kept(item: Item) -> bool:
            # A capture that was erased is not accepted again.
            return is_of_stage(item) and (policy.keeps_additions or "forgotten" in item)

        prepare = _mark_as_copy if table == "RegistrationsTable" else _leave
        brought = Merged()
        if table in self._live:
            brought = self._merge(table, self._live, target, _AS_IT_IS, is_wanted=is_kept, prepare=prepare)
        put_back = self._merge(*(table, self._copies, target, policy), is_wanted=is_of_stage, prepare=prepare)
        return replace(put_back, put_back=brought.put_back + put_back.put_back)

    def move_live_keys(self) -> int:
        """Give the old stage's present data keys to the new one. Return how many. Raise KeysNotMovable."""
        return self._move_keys(self._live["KeysTable"]) if "KeysTable" in self._live else 0

    def iter_notes(self) -> Iterator[str]:
        """Yield what nobody knows, because a table of the old stage is gone, and what stays there."""
        for table, unknown in _UNKNOWN.items():
            if table not in self._live:
                yield f"{table} of {self._old.stack_name} is gone, so it is not known {unknown}"
        if self._old.parameters.get("OdkPhotos", "true") == "true":
            bucket = self._old.outputs["PhotosBucketName"]
            yield f"photos stay in {bucket}: an erasure in {self._new.stack_name} leaves them there"

    def _move_keys(self, source: str) -> int:
        """Add the wrapped keys that a table of the old stage has, wrapped by the new stage's key in KMS."""
        target, moved = self._new.outputs["KeysTableName"], 0
        names = read_key_names(self._dynamodb, target)
        for page in iter_pages(self._dynamodb, source):
            self._keep_lock()
            keys = [item for item in page if "wrapped" in item]
            known = read_items(self._dynamodb, target, [get_key(item, names) for item in keys])
            missing = [item for item in keys if get_key(item, names) not in known]
            write_items(self._dynamodb, target, [self._wrap_again(item) for item in missing])
            moved += len(missing)
        return moved

    def _wrap_again(self, item: Item) -> Item:
        """Return a key for the new stage. Its plain bytes never leave KMS."""
        context = build_context(item["purpose"]["S"])
        try:
            wrapped = self._new.aws_client("kms").re_encrypt(
                CiphertextBlob=item["wrapped"]["B"],
                SourceKeyId=self._old.outputs["FieldKeyArn"],
                SourceEncryptionContext=context,
                DestinationKeyId=self._new.outputs["FieldKeyArn"],
                DestinationEncryptionContext=context,
            )["CiphertextBlob"]
        except ClientError as error:
            raise KeysNotMovable(
                f"KMS does not re-encrypt the data keys ({get_error_code(error)}): you and the policy of "
                f"{self._old.outputs['FieldKeyArn']} must permit kms:ReEncryptFrom, as this release's does, "
                f"you kms:ReEncryptTo on {self._new.outputs['FieldKeyArn']}"
            ) from None
        return {**item, "wrapped": {"B": wrapped}}

    def _merge(
        self, table: str, sources: Mapping[str, str], target: str, policy: Policy, **options: Any
    ) -> Merged:
        return merge(
            self._dynamodb,
            copy=sources[table],
            live=target,
            policy=policy,
            on_page=self._keep_lock,
            **options,
        )


def _mark_as_copy(item: Item) -> Item:
    """Return an item of registrations, marked so that the new stage does not publish it."""
    if item["sk"]["S"] not in {"CAPTURE", "APPLICATION"}:
        return item
    version = len(item["history"]["L"]) if "history" in item else 1
    return {**item, COPIED_VERSION: {"N": str(version)}}


def _is_left_out(item: Item) -> bool:
    keys = (item.get(name, {}).get("S", "") for name in ("pk", "sk"))
    return any(key.startswith(prefix) for key, prefix in zip(keys, (_LINE, _MESSAGE), strict=True))


def _leave(item: Item) -> Item:
    return item
