"""The choice of the gateway for an SMS, with a circuit breaker for each gateway.

An SMS asks the same gateway first each time, drawn by weight from its id, so that sending it again after an
unknown outcome does not spread it over gateways. Another gateway is asked only if the first surely did not
send it and never will.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from chalicelib.clock import Clock
from chalicelib.messaging.errors import (
    AccountFailure,
    CircuitOpen,
    GatewayError,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.messaging.gateways import Gateway, GatewayAcceptance, OutgoingSms
from chalicelib.messaging.model import SmsId

# Consecutive transient failures that open a circuit.
_FAILURE_THRESHOLD = 5
_OPEN_DURATION = timedelta(minutes=1)


@dataclass
class CircuitBreaker:
    """The circuit breaker of one gateway. A minute after it opened, one SMS tries the gateway again.

    `account_failure` is the gateway's last AccountFailure, if it answered nothing else since.
    """

    failure_streak: int = 0
    open_until: datetime | None = None
    account_failure: AccountFailure | None = None

    def allow_request(self, now: datetime, resumed_at: datetime | None) -> bool:
        """Return True if an SMS may ask the gateway now. Keep others back for a minute if it is a trial.

        If sending was resumed by a person after the circuit opened, the trial may come at once.
        """
        if self.open_until is None:
            return True
        is_resumed = resumed_at is not None and resumed_at > self.open_until - _OPEN_DURATION
        if now < self.open_until and not is_resumed:
            return False
        self.open_until = now + _OPEN_DURATION
        return True

    def record_success(self) -> None:
        """Close the circuit: the gateway answered for this SMS alone."""
        self.failure_streak, self.open_until, self.account_failure = 0, None, None

    def record_failure(self, now: datetime) -> None:
        """Count a transient failure, and open the circuit after the fifth in a row."""
        self.failure_streak, self.account_failure = self.failure_streak + 1, None
        if self.failure_streak >= _FAILURE_THRESHOLD:
            self.open_until = now + _OPEN_DURATION

    def trip(self, now: datetime, account_failure: AccountFailure) -> None:
        self.open_until, self.account_failure = now + _OPEN_DURATION, account_failure

    @property
    def is_open(self) -> bool:
        """Return True while requests are not allowed, or only a trial is."""
        return self.open_until is not None


class GatewayRouter:
    """Satisfies `gateways.Gateway` by choosing among weighted gateways.

    Circuits are kept for one worker process: these are few, and learn of a failure within a few SMS.
    `on_circuit_open` is called with the gateway's name and the reason; `get_resumed_at` returns when sending
    was last resumed.
    """

    name = "router"

    def __init__(
        self,
        gateways: Iterable[Gateway],
        *,
        weights: Mapping[str, int],
        clock: Clock,
        on_circuit_open: Callable[[str, str], None],
        get_resumed_at: Callable[[], datetime | None],
    ) -> None:
        self._gateways = [gateway for gateway in gateways if weights.get(gateway.name, 0) > 0]
        self._weights = weights
        self._clock = clock
        self._on_circuit_open = on_circuit_open
        self._get_resumed_at = get_resumed_at
        self._circuits = {gateway.name: CircuitBreaker() for gateway in self._gateways}

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Send one SMS through the first gateway that accepts it.

        Raise TransientFailure or OutcomeUnknown as soon as a gateway does. If none accepts it, raise
        PermanentFailure if a gateway did, AccountFailure if the last answer of every gateway was one, and
        CircuitOpen otherwise.
        """
        errors: list[GatewayError] = []
        for gateway in self._order_gateways(outgoing.sms_id):
            circuit = self._circuits[gateway.name]
            if not circuit.allow_request(self._clock(), self._get_resumed_at()):
                if circuit.account_failure is not None:
                    errors.append(circuit.account_failure)
                continue
            try:
                return self._try_gateway(gateway, outgoing)
            except (PermanentFailure, AccountFailure) as error:
                if isinstance(error, PermanentFailure) and error.opted_out:
                    raise
                errors.append(error)
        raise self._choose_error(errors)

    def _try_gateway(self, gateway: Gateway, outgoing: OutgoingSms) -> GatewayAcceptance:
        # OutcomeUnknown leaves the circuit as it is: a slow gateway may have sent the SMS.
        circuit = self._circuits[gateway.name]
        try:
            acceptance = gateway.send(outgoing)
        except AccountFailure as error:
            circuit.trip(self._clock(), error)
            self._on_circuit_open(gateway.name, error.reason)
            raise
        except TransientFailure as error:
            circuit.record_failure(self._clock())
            if circuit.is_open:
                self._on_circuit_open(gateway.name, error.reason)
            raise
        except PermanentFailure:
            circuit.record_success()
            raise
        circuit.record_success()
        return acceptance

    def _choose_error(self, errors: Sequence[GatewayError]) -> GatewayError:
        for error in errors:
            if isinstance(error, PermanentFailure):
                return error
        if errors and len(errors) == len(self._gateways):
            return errors[0]
        return CircuitOpen("circuit_open")

    def _order_gateways(self, sms_id: SmsId) -> list[Gateway]:
        """Return the gateways in the order of this SMS; each is first as often as its weight says."""
        return sorted(self._gateways, key=lambda gateway: self._draw_rank(sms_id, gateway.name))

    def _draw_rank(self, sms_id: SmsId, gateway_name: str) -> float:
        # Of exponential draws with these rates, each is the smallest with a probability equal to its weight's
        # share.
        digest = sha256(f"{sms_id}\x1f{gateway_name}".encode()).digest()
        uniform = (int.from_bytes(digest[:8]) + 1) / (2**64 + 1)
        return -math.log(uniform) / self._weights[gateway_name]
