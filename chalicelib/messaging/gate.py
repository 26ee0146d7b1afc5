"""The gate before the SMS gateways: no SMS that operators may block our sender for passes it."""

from collections.abc import Callable

from chalicelib.messaging.content import ContentFault, find_faults
from chalicelib.messaging.errors import PermanentFailure
from chalicelib.messaging.gateways import Gateway, GatewayAcceptance, OutgoingSms


class ContentGate:
    """Satisfies `gateways.Gateway`: judges each SMS, to workers and managers, before a gateway gets it.

    Names are refused when they are given, and made harmless when they are rendered; so the gate finds what
    those rules do not cover. `on_refused` is called with the fault and the SMS.
    """

    def __init__(self, gateway: Gateway, *, on_refused: Callable[[ContentFault, OutgoingSms], None]) -> None:
        self._gateway = gateway
        self._on_refused = on_refused

    @property
    def name(self) -> str:
        return self._gateway.name

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Send one SMS. Raise PermanentFailure if its content has a fault, or as the gateway does."""
        for fault in find_faults(outgoing.body):
            self._on_refused(fault, outgoing)
            raise PermanentFailure(f"content_{fault}")
        return self._gateway.send(outgoing)
