"""Routes that are registered when a request first needs them."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

Methods = dict[str, Any]
"""The entries of a path by method."""


class LazyRoutes(MutableMapping[str, Methods]):
    """The routes of a Chalice app by path, as `app.routes` has them.

    At first these are the routes of captures alone. All others are registered as soon as one of them is asked
    for, or the routes are listed: their modules and models take as long to import as the routes of captures,
    whose cold start somebody waits for.
    """

    def __init__(self, routes: MutableMapping[str, Methods], register_others: Callable[[], None]) -> None:
        self._routes = routes
        self._register_others: Callable[[], None] | None = register_others

    def complete(self) -> None:
        """Register all routes, unless they are. If that fails, so does each later attempt."""
        if self._register_others is not None:
            # Registering reads the routes.
            register, self._register_others = self._register_others, None
            try:
                register()
            except BaseException:
                self._register_others = register
                raise

    def __getitem__(self, path: str) -> Methods:
        if path not in self._routes:
            self.complete()
        return self._routes[path]

    def __setitem__(self, path: str, methods: Methods) -> None:
        self._routes[path] = methods

    def __delitem__(self, path: str) -> None:
        del self._routes[path]

    def __iter__(self) -> Iterator[str]:
        self.complete()
        return iter(self._routes)

    def __len__(self) -> int:
        self.complete()
        return len(self._routes)
