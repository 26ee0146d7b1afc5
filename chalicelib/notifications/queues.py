"""Texts that are due, and what gateways report, on SQS queues."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.aws.sqs import send_all
from chalicelib.notifications.messages import ReceiptReceived, SmsDue
from chalicelib.notifications.receipts import Receipt
from chalicelib.notifications.templates import SmsKind


class SQSSmsQueues:
    """Satisfies `requeue.SmsQueues`."""

    def __init__(self, client: Any, queue_urls: Mapping[SmsKind, str]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def send(self, kind: SmsKind, messages: Sequence[SmsDue]) -> None:
        """Send every message. Raises TryAgain if the queue did not take one."""
        send_all(self._client, self._queue_urls[kind], messages)


class SQSReceiptSink:
    """Satisfies `receipts.ReceiptSink`: the ledger is told later, by whoever reads the queue.

    A gateway that calls does not wait for the ledger, nor call again: once this has returned, it is kept.
    """

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def record_receipt(self, receipt: Receipt) -> None:
        """Keep a receipt until it has been noted."""
        body = ReceiptReceived.from_receipt(receipt).model_dump_json()
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
