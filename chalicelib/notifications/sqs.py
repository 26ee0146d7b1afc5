"""Texts that are due, and what gateways report, on SQS queues."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.notifications.messages import ReceiptTaken, TextDue
from chalicelib.notifications.receipts import Receipt
from chalicelib.notifications.templates import Kind
from chalicelib.sqs import send_all


class SQSDueTexts:
    """Satisfies `requeue.Queues`."""

    def __init__(self, client: Any, queue_urls: Mapping[Kind, str]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def send(self, kind: Kind, due: Sequence[TextDue]) -> None:
        """Send every message. Raises TryAgain if the queue did not take one."""
        send_all(self._client, self._queue_urls[kind], due)


class SQSReceipts:
    """Satisfies `receipts.TakesReceipts`: the ledger is told later, by whoever reads the queue.

    A gateway that calls does not wait for the ledger, nor call again: once this has returned, it is kept.
    """

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def note(self, receipt: Receipt) -> None:
        """Keep a receipt until it has been noted."""
        body = ReceiptTaken.of(receipt).model_dump_json()
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
