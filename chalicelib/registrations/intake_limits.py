"""The limits of a stage on captures."""

from collections.abc import Callable
from dataclasses import field
from datetime import timedelta

from chalicelib.callers import DailyCap
from chalicelib.clients.caps import DailyCapLimiter
from chalicelib.registrations import rules
from chalicelib.registrations.captures import UnusualClient
from chalicelib.values import Value


class IntakeLimits(Value):
    """The limits of a stage.

    `client_allowance` limits the attempts of a client per day, `phone_cap` the captures with one phone number
    per day, `worker_captures` the captures of one worker ever: a request about their data must be able to
    read them all. `on_unusual_client` gets a client that met unusually many known, refused or capped workers.
    An unpaid application expires after `payment_period`, a refused capture after `refusal_retention`.
    """

    client_allowance: DailyCapLimiter
    phone_cap: DailyCap
    on_unusual_client: Callable[[UnusualClient], None]
    age_limits: rules.AgeLimits = field(default_factory=rules.AgeLimits)
    payment_period: timedelta = timedelta(days=30)
    worker_captures: int = 1_000
    refusal_retention: timedelta = timedelta(days=90)
