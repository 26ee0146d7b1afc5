"""The SMS of one registration in DynamoDB, to disclose or erase them."""

from collections.abc import Callable, Iterator
from typing import Any

from chalicelib.aws.table import Table, TransactionFailed
from chalicelib.messaging.model import SmsId
from chalicelib.notifications.model import Sms
from chalicelib.notifications.store_items import (
    BY_REFERENCE,
    REVISION_UNCHANGED,
    build_anonymous_item,
    build_key,
    parse_item,
)
from chalicelib.notifications.store_ledger import build_budget_update
from chalicelib.refusals import TryAgain

# An SMS that is being sent changes a few times.
_MAX_ERASE_ATTEMPTS = 6


class DynamoSmsHistory:
    """Satisfies `data_requests.service.SmsHistory`."""

    def __init__(
        self, client: Any, *, sms_table: str, sending_table: str, new_write_id: Callable[[], str]
    ) -> None:
        self._sms_table = Table(client, sms_table)
        self._sending_table = Table(client, sending_table)
        self._new_write_id = new_write_id

    def iter_by_reference(self, reference: str) -> Iterator[Sms]:
        """Yield the SMS of a registration. One created moments ago may be missing."""
        for sms_id in self._iter_ids(reference):
            sms = self._find(sms_id)
            if sms is not None:
                yield sms

    def erase(self, reference: str) -> None:
        """Erase the SMS of a registration. A worker process that is sending one finds no row, and stops.

        Counted facts are kept under the campaign day and a random id, and reserved budget is freed. Raise
        TryAgain; a repeated call continues.
        """
        for sms_id in self._iter_ids(reference):
            self._erase_sms(sms_id)

    def _erase_sms(self, sms_id: SmsId) -> None:
        for _ in range(_MAX_ERASE_ATTEMPTS):
            sms = self._find(sms_id)
            if sms is None:
                return
            freed = sms.free_reservation()
            # The condition ensures that budget is freed once.
            writes = [
                self._sms_table.delete(
                    build_key(sms_id), REVISION_UNCHANGED, compared={":revision": sms.revision}
                ),
                self._sms_table.put(build_anonymous_item(freed, f"forgotten-{self._new_write_id()}")),
            ]
            if freed.committed != sms.committed:
                writes.append(build_budget_update(self._sending_table, freed, sms, limit=None))
            try:
                self._sms_table.transact(writes)
            except TransactionFailed:
                continue  # The row has changed, or is being changed.
            return
        raise TryAgain("an SMS is being sent")

    def _find(self, sms_id: SmsId) -> Sms | None:
        values = self._sms_table.get(build_key(sms_id))
        return None if values is None else parse_item(values)

    def _iter_ids(self, reference: str) -> Iterator[SmsId]:
        for values in self._sms_table.query(
            "#reference = :reference",
            {":reference": reference},
            index=BY_REFERENCE,
            names={"#reference": "reference"},
        ):
            yield SmsId(values["sms_id"])
