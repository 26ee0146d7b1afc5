"""Building of the service that exports counted days."""

from typing import TYPE_CHECKING

from chalicelib.exports.parquet import write_parquet
from chalicelib.exports.service import ExportService
from chalicelib.exports.store import S3ExportStore

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_export_service(container: "Container") -> ExportService:
    settings = container.settings
    return ExportService(
        outbox=container.outbox,
        summaries=container.summary_store,
        captures=container.reading_store,
        store=S3ExportStore(
            container.aws.s3,
            settings.exports_bucket,
            write_parquet=write_parquet if settings.parquet_layer else None,
        ),
        hashing=container.hashing,
        clock=container.clock,
    )
