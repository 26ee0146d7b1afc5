"""A fake of the store of deliveries."""

from collections.abc import Callable

from chalicelib.deliveries.model import Delivery, DeliveryId


class InMemoryDeliveries:
    """Satisfies `deliveries.service.Deliveries`. `before_write` is called before each write."""

    def __init__(self, *, before_write: Callable[[], object] = lambda: None) -> None:
        self.by_id: dict[DeliveryId, Delivery] = {}
        self.before_write = before_write

    def find(self, delivery_id: DeliveryId) -> Delivery | None:
        """Return a delivery, or None."""
        return self.by_id.get(delivery_id)

    def save(self, delivery: Delivery) -> bool:
        """Store a delivery's next revision. Return False if another sender was first."""
        self.before_write()
        stored = self.by_id.get(delivery.delivery_id)
        if (0 if stored is None else stored.revision) != delivery.revision - 1:
            return False
        self.by_id[delivery.delivery_id] = delivery
        return True
