"""A counter with a bound on its keys, so that what is counted by typed ids fits into one item. Pure."""

from collections import Counter

MAX_KEYS = 300
"""More than a campaign day has devices or officers, and few enough for the item of a summary."""

OTHERS = "~others"
"""The key of everything that came after the last own key. No client's or officer's id begins with `~`."""


class BoundedCounter(Counter[str]):
    """Counts the first MAX_KEYS keys each by itself, and all later ones together under OTHERS."""

    def __setitem__(self, key: str, count: int) -> None:
        if key in self or key == OTHERS or len(self) < MAX_KEYS:
            super().__setitem__(key, count)
        else:
            super().__setitem__(OTHERS, self[OTHERS] + count)
