"""The SDK's session, which makes the clients: as little of it as the product needs."""

from typing import Any

from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.session import Session

from chalicelib.aws.service_data import ServiceDataLoader

_FOR_EVERY_SERVICE = ""


class ServiceSession(Session):
    """A session whose clients have the SDK's own handlers of their service, and those of every service.

    The SDK would register 121 of them, most for services that the product does not use or for the pages of
    its documentation, and copy them all for each client: as much work as one client.
    """

    def __init__(self) -> None:
        super().__init__(include_builtin_handlers=False)
        self.register_component("data_loader", ServiceDataLoader())
        self._registered: set[str] = set()

    def create_client(self, service_name: str, *args: Any, **options: Any) -> Any:
        """Return a new client of a service."""
        for service in (_FOR_EVERY_SERVICE, service_name):
            if service not in self._registered:
                self._registered.add(service)
                self._register_handlers(service)
        return super().create_client(service_name, *args, **options)

    def _register_handlers(self, service: str) -> None:
        events = self.get_component("event_emitter")
        for event, handler, *place in BUILTIN_HANDLERS:
            kind, _, rest = event.partition(".")
            if kind == "docs" or rest.partition(".")[0] != service:
                continue
            if place == [REGISTER_FIRST]:
                events.register_first(event, handler)
            elif place == [REGISTER_LAST]:
                events.register_last(event, handler)
            else:
                events.register(event, handler)


def create_session() -> Session:
    """Return a session that reads as little of the SDK's data as the product needs.

    It is botocore's, which makes boto3's clients too. boto3 itself would import what they do without:
    resources, transfers of files to S3 and, for these, `multiprocessing`.
    """
    return ServiceSession()
