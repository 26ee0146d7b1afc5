"""Building of the service that corrects registrations."""

from typing import TYPE_CHECKING

from chalicelib.corrections.merging import CorrectionMerger
from chalicelib.corrections.preparation import CorrectionPreparer
from chalicelib.corrections.service import CorrectionService
from chalicelib.http.problems import list_shape_errors

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_correction_service(container: "Container") -> CorrectionService:
    store = container.correction_store
    return CorrectionService(
        store=store,
        reading=container.reading,
        campaigns=container.campaigns,
        merger=CorrectionMerger(
            quote_service=container.quotes,
            hashing=container.hashing,
            age_limits=container.age_limits,
            list_shape_errors=list_shape_errors,
        ),
        preparer=CorrectionPreparer(
            state=store,
            records=container.reading_store,
            hashing=container.hashing,
            phone_cap=container.settings.phone_caps,
            clock=container.clock,
        ),
        allowance=container.client_caps,
        hashing=container.hashing,
        clock=container.clock,
    )
