"""Routes that are registered when a request first needs them."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any


class Methods(dict[str, Any]):
    """The entries of a path by method. To ask for one that it does not have completes the routes."""

    def __init__(self, entries: Mapping[str, Any], complete: Callable[[], None]) -> None:
        super().__init__(entries)
        self._complete = complete

    def __contains__(self, method: object) -> bool:
        if not super().__contains__(method):
            self._complete()
        return super().__contains__(method)


class LazyRoutes(MutableMapping[str, dict[str, Any]]):
    """The routes of a Chalice app by path, as `app.routes` has them.

    At first these are the routes of captures alone. All others are registered as soon as one of them is asked
    for, or the routes are listed: their modules and models take as long to import as the routes of captures,
    whose cold start somebody waits for.
    """

    def __init__(
        self, routes: MutableMapping[str, dict[str, Any]], register_others: Callable[[], None]
    ) -> None:
        for path, entries in routes.items():
            routes[path] = Methods(entries, self.complete)
        self._routes = routes
        self._register_others: Callable[[], None] | None = register_others

    def complete(self) -> None:
        """Register all routes, unless they are. After a failure, the next attempt begins again."""
        if self._register_others is not None:
            # Registering reads the routes.
            register, self._register_others = self._register_others, None
            try:
                register()
            except BaseException:
                self._register_others = register
                raise

    def __getitem__(self, path: str) -> dict[str, Any]:
        if path not in self._routes:
            self.complete()
        return self._routes[path]

    def __setitem__(self, path: str, methods: dict[str, Any]) -> None:
        self._routes[path] = methods

    def __delitem__(self, path: str) -> None:
        del self._routes[path]

    def __iter__(self) -> Iterator[str]:
        self.complete()
        return iter(self._routes)

    def __len__(self) -> int:
        self.complete()
        return len(self._routes)
