"""SQS queues of due SMS and of receipts."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.aws.sqs import send_all
from chalicelib.messaging.receipts import Receipt
from chalicelib.notifications.messages import ReceiptReceived, SmsDue
from chalicelib.notifications.templates import SmsKind


class SQSSmsQueues:
    """Satisfies `due_sms.SmsQueues`."""

    def __init__(self, client: Any, queue_urls: Mapping[SmsKind, str]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def send(self, kind: SmsKind, messages: Sequence[SmsDue]) -> None:
        send_all(self._client, self._queue_urls[kind], messages)


class SQSReceiptSink:
    """Satisfies `receipts.ReceiptSink` by queuing, so that a gateway need not wait for the ledger."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def record_receipt(self, receipt: Receipt) -> None:
        body = ReceiptReceived.from_receipt(receipt).model_dump_json()
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
