"""Campaigns in DynamoDB."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from chalicelib.audit.model import AuditRecord
from chalicelib.aws.items import Values
from chalicelib.aws.table import MAX_ID_LENGTH, Table, TransactionFailed, Write
from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.service import CampaignWriteConflict
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.records import iter_readable, record_parser
from chalicelib.refusals import TryAgain

_BY_LAST_DAY = "by_last_day"
_LISTING = "campaigns"
_IF_DAYS_UNCHANGED = "first_day = :first_day AND last_day = :last_day AND accepts_until = :accepts_until"
# Campaigns of an earlier release have no sponsors.
_IF_SPONSORS_UNCHANGED = "(attribute_not_exists(sponsors) OR sponsors = :sponsors)"


class DynamoCampaigns:
    """Satisfies `service.Campaigns`. The names and addresses of managers are sealed."""

    def __init__(
        self,
        client: Any,
        table_name: str,
        cipher: FieldCipher,
        *,
        build_audit_write: Callable[[AuditRecord], Write] | None,
    ) -> None:
        """`build_audit_write` makes the write that records a change; None records none."""
        self._table = Table(client, table_name)
        self._cipher = cipher
        self._build_audit_write = build_audit_write

    def add(self, campaign: Campaign, *, record: AuditRecord | None = None) -> None:
        values = {**_build_key(campaign.campaign_id), **self._to_values(campaign), "listing": _LISTING}
        if not self._try_write(self._table.put(values, "attribute_not_exists(pk)"), record):
            raise CampaignExists(campaign.campaign_id)

    def get(self, campaign_id: str) -> Campaign:
        # DynamoDB answers a key that is too long with an error that would look like a fault of ours.
        if len(campaign_id) > MAX_ID_LENGTH:
            raise CampaignUnknown("longer than any id")
        values = self._table.get(_build_key(campaign_id))
        if values is None:
            raise CampaignUnknown(campaign_id)
        return parse_campaign(values, self._cipher)

    def replace(self, campaign: Campaign, *, previous: Campaign, record: AuditRecord | None = None) -> None:
        before = dict(previous)
        differing = {name for name, value in campaign if value != before[name]}
        changes = {name: value for name, value in self._to_values(campaign).items() if name in differing}
        compared_fields, condition = {"first_day", "last_day", "accepts_until"}, _IF_DAYS_UNCHANGED
        if "sponsors" in differing:
            # Of two managers who each add a sponsor, the later one must not remove the other's.
            compared_fields.add("sponsors")
            condition = f"{condition} AND {_IF_SPONSORS_UNCHANGED}"
        compared = previous.model_dump(mode="json", include=compared_fields)
        update = self._table.update(
            _build_key(campaign.campaign_id),
            "SET " + ", ".join(f"#{name} = :new_{name}" for name in changes),
            condition,
            names={f"#{name}": name for name in changes},
            compared={f":{name}": value for name, value in compared.items()}
            | {f":new_{name}": value for name, value in changes.items()},
        )
        if not self._try_write(update, record):
            raise CampaignWriteConflict(campaign.campaign_id)

    def iter_ending_since(self, first_last_day: date) -> Iterator[Campaign]:
        return iter_readable(
            lambda values: parse_campaign(values, self._cipher), self._iter_values(first_last_day)
        )

    def iter_ids_ending_since(self, first_last_day: date) -> Iterator[tuple[date, str]]:
        for values in self._iter_values(first_last_day):
            yield date.fromisoformat(values["last_day"]), values["campaign_id"]

    def _try_write(self, write: Write, record: AuditRecord | None) -> bool:
        """Send a write, with the record of it. Return False if the condition failed. Raise TryAgain."""
        if self._build_audit_write is None or record is None:
            return self._table.try_run(write)
        try:
            self._table.transact([write, self._build_audit_write(record)])
        except TransactionFailed as failed:
            if failed.current:
                return False
            raise TryAgain("another change was in the way") from None
        return True

    def _iter_values(self, first_last_day: date) -> Iterator[Values]:
        return self._table.query(
            "listing = :listing AND last_day >= :day",
            {":listing": _LISTING, ":day": first_last_day.isoformat()},
            index=_BY_LAST_DAY,
        )

    def _to_values(self, campaign: Campaign) -> Values:
        managers = campaign.model_dump_json(include={"managers"})
        return {
            **campaign.model_dump(mode="json", exclude={"managers"}),
            "managers": self._cipher.seal(
                managers, record=_record_name(campaign.campaign_id), field="managers"
            ),
        }


@record_parser
def reseal(values: Mapping[str, Any], cipher: FieldCipher) -> Values:
    """Return the attributes that an older key sealed, sealed again. Raise RecordUnreadable."""
    record = _record_name(values["campaign_id"])
    resealed = cipher.reseal(values["managers"], record=record, field="managers")
    return {} if resealed is None else {"managers": resealed}


@record_parser
def parse_campaign(values: Mapping[str, Any], cipher: FieldCipher) -> Campaign:
    """Return a campaign from its item. Raise RecordUnreadable."""
    managers = cipher.unseal(values["managers"], record=_record_name(values["campaign_id"]), field="managers")
    fields = {name: values[name] for name in Campaign.model_fields if name in values and name != "managers"}
    return Campaign.model_validate({**fields, **json.loads(managers)})


def find_days(client: Any, table_name: str, campaign_id: str) -> tuple[date, date]:
    """Return the first and the last day of a campaign, which needs no key. Raise CampaignUnknown."""
    values = Table(client, table_name).get(_build_key(campaign_id))
    if values is None:
        raise CampaignUnknown(campaign_id)
    return date.fromisoformat(values["first_day"]), date.fromisoformat(values["last_day"])


def _build_key(campaign_id: str) -> Values:
    return {"pk": f"CAMPAIGN#{campaign_id}", "sk": "CAMPAIGN"}


def _record_name(campaign_id: str) -> str:
    return f"campaign {campaign_id}"
