"""Fakes of gateways."""

from collections.abc import Callable

from chalicelib.messaging.gateways import GatewayAcceptance, OutgoingSms


class ScriptedGateway:
    """Returns or raises its answers one by one, and accepts each SMS after the last. Records every SMS."""

    name = "scripted"

    def __init__(self, *answers: str | Exception, on_send: Callable[[], object] = lambda: None) -> None:
        self._answers = list(answers)
        self.sent_sms: list[OutgoingSms] = []
        self.on_send = on_send

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Return the next answer, after a call of `on_send`."""
        self.sent_sms.append(outgoing)
        self.on_send()
        answer = self._answers.pop(0) if self._answers else f"gateway-{len(self.sent_sms)}"
        if isinstance(answer, Exception):
            raise answer
        return GatewayAcceptance(self.name, answer)


class ScriptedChatGateway:
    """Raises its errors one by one, and then accepts each message for `price`. Records every message."""

    name = "chat"

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.price = 0
        self.sent: list[OutgoingSms] = []

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Raise the next error, or accept the message under an id of its channel."""
        self.sent.append(outgoing)
        if self.errors:
            raise self.errors.pop(0)
        assert outgoing.chat is not None
        channel = outgoing.chat.channel
        return GatewayAcceptance(channel, f"{channel}:{len(self.sent)}", parts=0, price=self.price)
