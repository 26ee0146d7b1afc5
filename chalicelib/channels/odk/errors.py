"""Refusals of submissions and requests of ODK Collect.

Refusal
├── DeviceTokenInvalid   the token in the path is no device's: unknown, revoked, expired or of another role
├── FormUnknown          no form of the device has this id or version
├── CampaignClosed       the form's campaign takes no more captures
├── EditOfAccepted       the capture that an edit replaces was accepted, and is corrected at the branch
└── RulesBroken
    └── SubmissionMalformed   the request is no OpenRosa submission; `broken_rules` names what is wrong
"""

from chalicelib.refusals import Refusal, RulesBroken


class DeviceTokenInvalid(Refusal):
    """The token in the path opens nothing. Collect would ask for a password if this were a 401."""

    code = "device_token_invalid"


class FormUnknown(Refusal):
    """The device has no form of this id, or the form never had this version."""

    code = "form_unknown"


class CampaignClosed(Refusal):
    """The campaign of the form takes no more captures."""

    code = "campaign_closed"


class EditOfAccepted(Refusal):
    """An edit of a capture that was accepted: what is registered is not changed from a form."""

    code = "edit_of_accepted"


class SubmissionMalformed(RulesBroken):
    """The request is no OpenRosa submission. Nothing was read as a capture."""

    code = "submission_malformed"
