"""Building of the search."""

from typing import TYPE_CHECKING

from chalicelib.searches.service import SearchService

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_search_service(container: "Container") -> SearchService:
    return SearchService(
        records=container.reading_store,
        applications=container.erasure,
        lookups=container.lookups,
        hashing=container.hashing,
        clock=container.clock,
    )
