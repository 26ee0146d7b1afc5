"""The one way in which an amount of money is written for a person, in every language and channel."""


def format_rupiah(amount: int) -> str:
    """Return an amount as written in Indonesia, without a space: `Rp16.800`."""
    return f"Rp{amount:,}".replace(",", ".")
