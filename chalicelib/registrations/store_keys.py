"""Keys, indexes and shards of the registrations table, whose stream publishes its changes.

CAPTURE#<capture id>       CAPTURE             a capture with its outcome; indexed by campaign day and device
WORKER#<keyed hash>        OPEN                the worker's latest registration, and whether it has ended
WORKER#<keyed hash>        TOOK#<capture id>   a capture of the worker, and the registration it names
REGISTRATION#<reference>   APPLICATION         the registration; indexed by campaign day, status and due day
REGISTRATION#<reference>   CORRECTION          an open request for a correction; indexed like a status
LEFT#<random id>           LEFT                a remnant: what is counted of an erased capture or registration
UNUSUAL#<client id>#...    UNUSUAL             a client with many unusual attempts (`store_unusual`); expires
DISCARD#<client id>        <number>            a capture that its device gave up; indexed by device
PAYMENT#<keyed hash>       PAYMENT             a payment id that was recorded
PHONE#<keyed hash>         DAY#<day>           the number of registrations with a phone number; expires
CAMPAIGN#<campaign id>     DELETED#<shard>     how many registrations and identities were deleted by retention
SPONSOR#<campaign>#<id>    PLACES              the number of places of a campaign's sponsor that are taken
DECOY#<reference>          DECOY               a decoy: an item of the size of a registration; expires
"""

import zlib
from datetime import date, datetime

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.registrations.model import Status
from chalicelib.registrations.quotas import CampaignSponsor
from chalicelib.registrations.references import Reference

Key = dict[str, str]

BY_CAMPAIGN_DAY = "by_campaign_day"
BY_STATUS = "by_status"
BY_DUE_DAY = "by_due_day"
BY_DEVICE_SEQUENCE = "by_device_sequence"

# A campaign may have 500 captures a second; a partition of an index takes 1,000 writes a second. After a
# change of this number, old days must still be read over the old number of shards.
SHARD_COUNT = 8

CAPTURE_SORT_KEY, REGISTRATION_SORT_KEY = "CAPTURE", "APPLICATION"

# Differs from a capture's sort key, by which the stream consumer recognises captures.
LINK_PREFIX = "TOOK#"

# Without a shard behind it, it is the count of an earlier release.
DELETIONS_PREFIX = "DELETED"

# A multiple of the shards of what is due: a run changes registrations of one such shard at once, whose counts
# would else stand in one item.
_DELETION_SHARDS = 8 * SHARD_COUNT

UNUSUAL_SORT_KEY = "UNUSUAL"

# Remnants, and unusual clients, sort after every instant.
REMNANT_ORDER_PREFIX = "left "

ITEM_IS_NEW = "attribute_not_exists(pk)"
ITEM_EXISTS = "attribute_exists(pk)"
WORKER_HAS_REGISTRATION = "#reference = :reference"
REFERENCE_NAME = {"#reference": "reference"}
REFERENCE_AND_STATUS_NAMES = {**REFERENCE_NAME, "#status": "status"}


def make_capture_key(capture_id: str) -> Key:
    return {"pk": f"CAPTURE#{capture_id}", "sk": CAPTURE_SORT_KEY}


def make_worker_key(keyed_hash: str) -> Key:
    return {"pk": f"WORKER#{keyed_hash}", "sk": "OPEN"}


def make_link_key(keyed_hash: str, capture_id: str) -> Key:
    """Return the key of a worker's link to a capture. One query finds the worker's item and all links."""
    return {**make_worker_key(keyed_hash), "sk": f"{LINK_PREFIX}{capture_id}"}


def make_registration_key(reference: Reference) -> Key:
    return {"pk": f"REGISTRATION#{reference}", "sk": REGISTRATION_SORT_KEY}


def make_open_request_key(reference: Reference) -> Key:
    return {**make_registration_key(reference), "sk": "CORRECTION"}


def make_payment_key(keyed_hash: str) -> Key:
    return {"pk": f"PAYMENT#{keyed_hash}", "sk": "PAYMENT"}


def make_phone_key(keyed_hash: str, day: date) -> Key:
    return {"pk": f"PHONE#{keyed_hash}", "sk": f"DAY#{day.isoformat()}"}


def make_sponsor_key(sponsor: CampaignSponsor) -> Key:
    return {"pk": f"SPONSOR#{sponsor.campaign_id}#{sponsor.sponsor_id}", "sk": "PLACES"}


def make_deletions_key(campaign_id: str, reference: Reference) -> Key:
    """Return the key of one of a campaign's counts, which registrations deleted at once would contend for."""
    shard = zlib.crc32(reference.encode()) % _DELETION_SHARDS
    return {"pk": make_deletions_pk(campaign_id), "sk": f"{DELETIONS_PREFIX}#{shard}"}


def make_deletions_pk(campaign_id: str) -> str:
    return f"CAMPAIGN#{campaign_id}"


def make_decoy_key(reference: Reference) -> Key:
    return {"pk": f"DECOY#{reference}", "sk": "DECOY"}


def find_shard(record_id: str) -> int:
    """Return the shard of a capture or a registration by its own id, so that all shards get the same load."""
    return zlib.crc32(record_id.encode()) % SHARD_COUNT


def make_capture_shard(campaign_day: CampaignDay, shard: int) -> str:
    """Return the partition of the day index with this shard of a day's captures."""
    return f"{campaign_day.campaign_id}#{campaign_day.day.isoformat()}#{shard}"


def list_capture_shards(campaign_day: CampaignDay) -> list[str]:
    return [make_capture_shard(campaign_day, shard) for shard in range(SHARD_COUNT)]


def make_registration_shard(campaign_day: CampaignDay, shard: int) -> str:
    """Return the partition of the day index with this shard of a day's registrations."""
    return f"R#{make_capture_shard(campaign_day, shard)}"


def list_registration_shards(campaign_day: CampaignDay) -> list[str]:
    return [make_registration_shard(campaign_day, shard) for shard in range(SHARD_COUNT)]


def make_remnant_shard(campaign_day: CampaignDay) -> str:
    """Return the partition of the day index with a day's remnants.

    One is enough: erasures are few, and the deletions of a day at the end of its retention period are spread
    over hours.
    """
    return f"L#{campaign_day.campaign_id}#{campaign_day.day.isoformat()}"


def make_status_shard(status: Status, shard: int) -> str:
    """Return the partition of the status index with this shard of a status."""
    return f"{status}#{shard}"


def list_status_shards(status: Status) -> list[str]:
    return [make_status_shard(status, shard) for shard in range(SHARD_COUNT)]


def make_request_shard(shard: int) -> str:
    """Return the partition of the status index with this shard of the open requests for corrections."""
    return f"correction_requested#{shard}"


def list_request_shards() -> list[str]:
    return [make_request_shard(shard) for shard in range(SHARD_COUNT)]


def make_due_shard(shard: int) -> str:
    """Return the partition of the due index with this shard of the registrations that have a time-out."""
    return f"DUE#{shard}"


def list_due_shards() -> list[str]:
    return [make_due_shard(shard) for shard in range(SHARD_COUNT)]


def make_order(instant: datetime, record_id: str) -> str:
    """Return an index's sort key: unique over all partitions, so that one position serves them all."""
    return f"{to_timestamp(instant)}#{record_id}"


def make_remnant_keys(campaign_day: CampaignDay, remnant_id: str) -> Key:
    return {
        "pk": f"LEFT#{remnant_id}",
        "sk": "LEFT",
        "day_shard": make_remnant_shard(campaign_day),
        "day_order": f"{REMNANT_ORDER_PREFIX}{remnant_id}",
    }


def parse_registration_key(values: Key) -> Reference:
    return parse_registration_pk(values["pk"])


def parse_registration_pk(pk: str) -> Reference:
    return Reference(pk.partition("#")[2])
