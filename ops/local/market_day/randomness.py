"""A reproducible source of random choices."""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

Option = TypeVar("Option")


class RandomSource:
    """Random choices that use `random()` alone: the only method whose sequence Python guarantees."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random  # noqa: S311 - the example must be reproducible

    def below(self, bound: int) -> int:
        """Return an integer from 0 to `bound` - 1."""
        return int(self._random() * bound)

    def between(self, lowest: int, highest: int) -> int:
        """Return an integer from `lowest` to `highest`, both included."""
        return lowest + self.below(highest - lowest + 1)

    def chance(self, percent: int) -> bool:
        """Return True with a probability of `percent` percent."""
        return self.below(100) < percent

    def pick(self, options: Sequence[Option]) -> Option:
        return options[self.below(len(options))]

    def pick_weighted(self, weights: Mapping[Option, int]) -> Option:
        return self.pick([option for option, weight in weights.items() for _ in range(weight)])

    def shuffle(self, options: Iterable[Option]) -> list[Option]:
        rest = list(options)
        return [rest.pop(self.below(len(rest))) for _ in range(len(rest))]

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))
