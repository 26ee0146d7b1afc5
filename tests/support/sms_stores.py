"""The DynamoDB stores of SMS over one pair of tables, and steps that their tests share."""

from dataclasses import replace
from itertools import count
from typing import Any

from chalicelib.campaigns.model import CampaignDay
from chalicelib.notifications.model import SendLimits, Sms
from chalicelib.notifications.store_history import DynamoSmsHistory
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.notifications.store_opt_outs import DynamoOptOutStore
from tests.support.builders import NOW
from tests.support.registration_builders import FIRST_DAY

LIMITS = SendLimits(sms_per_day=3, budget=1_000)


def mark_claimed(sms: Sms, *, phone_day: CampaignDay = FIRST_DAY) -> Sms:
    """Return `sms` as a claim on the first day makes it."""
    return sms.claim(NOW, budget_day=FIRST_DAY.day, phone_day=phone_day.day)


class SmsStores:
    """The ledger, the history and the opt-outs."""

    def __init__(self, client: Any, *, sms_table: str, sending_table: str) -> None:
        write_ids = count(1)

        def new_write_id() -> str:
            return str(next(write_ids))

        self.ledger = DynamoSmsLedger(
            client, sms_table=sms_table, sending_table=sending_table, new_write_id=new_write_id
        )
        self.history = DynamoSmsHistory(
            client, sms_table=sms_table, sending_table=sending_table, new_write_id=new_write_id
        )
        self.opt_outs = DynamoOptOutStore(client, sending_table)

    def claim(self, sms: Sms, *, phone_day: CampaignDay = FIRST_DAY, **limits: Any) -> Sms:
        """Create and claim an SMS. Return it."""
        created = self.ledger.get_or_create(sms)
        claimed = mark_claimed(created, phone_day=phone_day)
        self.ledger.claim(claimed, previous=created, limits=replace(LIMITS, **limits))
        return claimed

    def advance(self, sms: Sms, changed: Sms) -> Sms:
        """Store the next revision of an SMS. Return it."""
        assert self.ledger.update(changed, previous=sms)
        return changed
