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
from chalicelib.notifications.errors import (
    GatewayError,
    LeftAlone,
    Never,
    OutcomeUnknown,
    StopEverything,
    TryLater,
)
from chalicelib.notifications.gateways import Gateway, GatewayId, Outgoing
from chalicelib.notifications.model import MessageId

# So many refusals for now in a row, and the gateway is left alone.
_STREAK = 5
_LEFT_ALONE = timedelta(minutes=1)


@dataclass
class Circuit:
    """Whether a gateway is asked at all. After a while of being left alone, one text tries it.

    `stop` is what it said when it took nothing from us at all, until it says something else.
    """

    streak: int = 0
    open_until: datetime | None = None
    stop: StopEverything | None = None

    def lets_through(self, now: datetime, resumed_at: datetime | None) -> bool:
        """Whether a text may ask the gateway now; the one that tries holds back the others meanwhile.

        Whoever resumed sending after it was left alone wants it to be tried at once.
        """
        if self.open_until is None:
            return True
        is_resumed = resumed_at is not None and resumed_at > self.open_until - _LEFT_ALONE
        if now < self.open_until and not is_resumed:
            return False
        self.open_until = now + _LEFT_ALONE
        return True

    def works(self) -> None:
        """The gateway takes texts, or judges them one by one."""
        self.streak, self.open_until, self.stop = 0, None, None

    def refused_for_now(self, now: datetime) -> None:
        """The gateway did not take a text that it may take later."""
        self.streak, self.stop = self.streak + 1, None
        if self.streak >= _STREAK:
            self.open_until = now + _LEFT_ALONE

    def breaks(self, now: datetime, stop: StopEverything) -> None:
        """The gateway takes nothing."""
        self.open_until, self.stop = now + _LEFT_ALONE, stop

    @property
    def is_open(self) -> bool:
        """Whether the gateway is left alone."""
        return self.open_until is not None


class Router:
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
        tell: Callable[[str, str], None],
        resumed_at: Callable[[], datetime | None],
    ) -> None:
        self._gateways = [gateway for gateway in gateways if weights.get(gateway.name, 0) > 0]
        self._weights = weights
        self._clock = clock
        self._tell = tell
        self._resumed_at = resumed_at
        self._circuits = {gateway.name: Circuit() for gateway in self._gateways}

    def send(self, outgoing: Outgoing) -> GatewayId:
        """Which gateway took the text, and its id there.

        Raises Never if a gateway refused the text itself and none took it, StopEverything if every gateway
        takes nothing from us, or said so last and is left alone since, LeftAlone if another one is left
        alone, and TryLater or OutcomeUnknown as soon as one does.
        """
        refusals: list[GatewayError] = []
        for gateway in self._in_order(outgoing.message_id):
            circuit = self._circuits[gateway.name]
            if not circuit.lets_through(self._clock(), self._resumed_at()):
                if circuit.stop is not None:
                    refusals.append(circuit.stop)
                continue
            try:
                return self._asked(gateway, outgoing)
            except (Never, StopEverything) as refusal:
                if isinstance(refusal, Never) and refusal.opted_out:
                    raise
                refusals.append(refusal)
        raise self._verdict(refusals)

    def _asked(self, gateway: Gateway, outgoing: Outgoing) -> GatewayId:
        circuit = self._circuits[gateway.name]
        try:
            accepted = gateway.send(outgoing)
        except StopEverything as stop:
            circuit.breaks(self._clock(), stop)
            self._tell(gateway.name, stop.reason)
            raise
        except TryLater as later:
            circuit.refused_for_now(self._clock())
            if circuit.is_open:
                self._tell(gateway.name, later.reason)
            raise
        except OutcomeUnknown:
            # Slow is not broken: the text may be out, and so may the next one.
            raise
        except Never:
            circuit.works()
            raise
        circuit.works()
        return accepted

    def _verdict(self, refusals: Sequence[GatewayError]) -> GatewayError:
        for refusal in refusals:
            if isinstance(refusal, Never):
                return refusal
        if refusals and len(refusals) == len(self._gateways):
            return refusals[0]
        return LeftAlone("gateways_left_alone")

    def _in_order(self, message_id: MessageId) -> list[Gateway]:
        """Every gateway, each as often the first as its weight says; the same for one text each time."""
        return sorted(self._gateways, key=lambda gateway: self._draw(message_id, gateway.name))

    def _draw(self, message_id: MessageId, name: str) -> float:
        # Of exponential draws with these rates, the share of each being the smallest is its share of weight.
        digest = sha256(f"{message_id}\x1f{name}".encode()).digest()
        uniform = (int.from_bytes(digest[:8]) + 1) / (2**64 + 1)
        return -math.log(uniform) / self._weights[name]
