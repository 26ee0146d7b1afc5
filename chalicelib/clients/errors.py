"""Refusals of the clients package.

Refusal
├── ClientUnknown    no client has this id
├── ClientExists     another client has this id already
├── ClientRevoked    the client was revoked and gets no new token
├── RenewalTooEarly  the token ends later than a week from now
├── RenewalsEnded    the device has to be enrolled again by a person
├── LinkUsed         a phone registered another capture by its link
├── ClientCapReached the client has used up its daily number of captures
├── KioskCapReached  the unattended kiosk has sent its captures of this minute
└── TokenUnknown     no client holds this token

A token that was revoked or has expired is `refusals.TokenRevoked`, which every endpoint can answer with.
"""

from chalicelib.refusals import Refusal


class ClientUnknown(Refusal):
    """No client has this id."""

    code = "client_unknown"


class ClientExists(Refusal):
    """A client with this id is enrolled already. Its token cannot be shown again."""

    code = "client_exists"


class ClientRevoked(Refusal):
    """The client was revoked. Its device needs a new enrolment."""

    code = "client_revoked"


class RenewalTooEarly(Refusal):
    """A device renews its token in the token's last week, and this one ends later."""

    code = "renewal_too_early"


class RenewalsEnded(Refusal):
    """The device renewed its token for as long as it may. A person has to enrol it again."""

    code = "renewals_ended"


class ClientCapReached(Refusal):
    """The client has used up its daily number of captures. This capture was not stored."""

    code = "client_cap_reached"


class KioskCapReached(Refusal):
    """The unattended kiosk has sent its captures of this minute. This one was not stored."""

    code = "kiosk_cap_reached"


class TokenUnknown(Refusal):
    """No client holds this token."""

    code = "token_missing_or_unknown"


class LinkUsed(Refusal):
    """A link registers one worker, and this phone has registered another capture by it."""

    code = "link_used"
