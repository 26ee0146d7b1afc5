"""Which gateway carries a text, and which one carries it instead.

A text asks the same gateway first each time, drawn by weight from its id, so that sending it again after an
unknown outcome does not spread it over gateways. Another gateway is asked only where the first surely did
not send it and never will; slowness is waited out.
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
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.messaging.gateways import Gateway, GatewayAcceptance, OutgoingSms
from chalicelib.notifications.model import SmsId

# So many refusals for now in a row, and the gateway is left alone.
_FAILURE_THRESHOLD = 5
_OPEN_DURATION = timedelta(minutes=1)


@dataclass
class CircuitBreaker:
    """Whether a gateway is asked at all. After a while of being left alone, one text tries it.

    `stop` is what it said when it took nothing from us at all, until it says something else.
    """

    failure_streak: int = 0
    open_until: datetime | None = None
    account_failure: AccountFailure | None = None

    def allow_request(self, now: datetime, resumed_at: datetime | None) -> bool:
        """Whether a text may ask the gateway now; the one that tries holds back the others meanwhile.

        Whoever resumed sending after it was left alone wants it to be tried at once.
        """
        if self.open_until is None:
            return True
        is_resumed = resumed_at is not None and resumed_at > self.open_until - _OPEN_DURATION
        if now < self.open_until and not is_resumed:
            return False
        self.open_until = now + _OPEN_DURATION
        return True

    def record_success(self) -> None:
        """The gateway takes texts, or judges them one by one."""
        self.failure_streak, self.open_until, self.account_failure = 0, None, None

    def record_failure(self, now: datetime) -> None:
        """The gateway did not take a text that it may take later."""
        self.failure_streak, self.account_failure = self.failure_streak + 1, None
        if self.failure_streak >= _FAILURE_THRESHOLD:
            self.open_until = now + _OPEN_DURATION

    def trip(self, now: datetime, account_failure: AccountFailure) -> None:
        """The gateway takes nothing."""
        self.open_until, self.account_failure = now + _OPEN_DURATION, account_failure

    @property
    def is_open(self) -> bool:
        """Whether the gateway is left alone."""
        return self.open_until is not None


class GatewayRouter:
    """Satisfies `gateways.Gateway`, by those it is given with their weights.

    What it knows of them it knows for its own container: senders are few, and learn it in a few texts.
    `tell` hears of each gateway that is left alone from now on, and why; `resumed_at` says when somebody last
    let everybody send again.
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
        """Which gateway took the text, and its id there.

        Raises PermanentFailure if a gateway refused the text itself and none took it, AccountFailure if every gateway
        takes nothing from us, or said so last and is left alone since, CircuitOpen if another one is left
        alone, and TransientFailure or OutcomeUnknown as soon as one does.
        """
        refusals: list[GatewayError] = []
        for gateway in self._order_gateways(outgoing.sms_id):
            circuit = self._circuits[gateway.name]
            if not circuit.allow_request(self._clock(), self._get_resumed_at()):
                if circuit.account_failure is not None:
                    refusals.append(circuit.account_failure)
                continue
            try:
                return self._try_gateway(gateway, outgoing)
            except (PermanentFailure, AccountFailure) as refusal:
                if isinstance(refusal, PermanentFailure) and refusal.opted_out:
                    raise
                refusals.append(refusal)
        raise self._choose_error(refusals)

    def _try_gateway(self, gateway: Gateway, outgoing: OutgoingSms) -> GatewayAcceptance:
        circuit = self._circuits[gateway.name]
        try:
            accepted = gateway.send(outgoing)
        except AccountFailure as stop:
            circuit.trip(self._clock(), stop)
            self._on_circuit_open(gateway.name, stop.reason)
            raise
        except TransientFailure as later:
            circuit.record_failure(self._clock())
            if circuit.is_open:
                self._on_circuit_open(gateway.name, later.reason)
            raise
        except OutcomeUnknown:
            # Slow is not broken: the text may be out, and so may the next one.
            raise
        except PermanentFailure:
            circuit.record_success()
            raise
        circuit.record_success()
        return accepted

    def _choose_error(self, errors: Sequence[GatewayError]) -> GatewayError:
        for refusal in errors:
            if isinstance(refusal, PermanentFailure):
                return refusal
        if errors and len(errors) == len(self._gateways):
            return errors[0]
        return CircuitOpen("circuit_open")

    def _order_gateways(self, sms_id: SmsId) -> list[Gateway]:
        """Every gateway, each as often the first as its weight says; the same for one text each time."""
        return sorted(self._gateways, key=lambda gateway: self._draw_rank(sms_id, gateway.name))

    def _draw_rank(self, sms_id: SmsId, gateway_name: str) -> float:
        # Of exponential draws with these rates, the share of each being the smallest is its share of weight.
        digest = sha256(f"{sms_id}\x1f{gateway_name}".encode()).digest()
        uniform = (int.from_bytes(digest[:8]) + 1) / (2**64 + 1)
        return -math.log(uniform) / self._weights[gateway_name]
