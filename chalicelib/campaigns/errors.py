"""Refusals of the campaigns package.

Refusal
├── CampaignUnknown     no campaign has this id
└── CampaignExists      another campaign has this id already
"""

from chalicelib.refusals import Refusal


class CampaignUnknown(Refusal):
    """No campaign has this id."""

    code = "campaign_unknown"


class CampaignExists(Refusal):
    """A campaign with this id, but other content, exists."""

    code = "campaign_exists"
