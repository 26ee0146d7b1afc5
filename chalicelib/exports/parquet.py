"""Exported rows as a Parquet file. DuckDB writes it, which comes with a layer: the zip has no library for it.

The columns are those of `model.format_row`, each with a type of its own.
"""

from pathlib import Path

COLUMNS = {
    "id": "VARCHAR",
    "outcome": "VARCHAR",
    "channel": "VARCHAR",
    "cancelled": "BOOLEAN",
    "client_id": "VARCHAR",
    "officer": "VARCHAR",
    "occupations": "VARCHAR[]",
    "programmes": "VARCHAR[]",
    "sex": "VARCHAR",
    "age": "VARCHAR",
    "hour": "VARCHAR",
    "sponsor": "VARCHAR",
    "without_phone": "BOOLEAN",
    "received_on": "DATE",
    "reasons": "VARCHAR[]",
    "flags": "VARCHAR[]",
}

# One thread keeps the order of the rows, so that equal rows give equal bytes. Nothing is fetched at run time.
_CONFIGURATION: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "512MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def write_parquet(rows: Path, target: Path) -> None:
    """Write compressed lines of JSON to `target` as Parquet, in their order."""
    import duckdb  # noqa: PLC0415 - only a stage with the layer has it

    with duckdb.connect(config=_CONFIGURATION | {"temp_directory": str(target.parent)}) as connection:
        relation = connection.read_json(
            str(rows), columns=COLUMNS, format="newline_delimited", compression="gzip"
        )
        relation.write_parquet(str(target), compression="zstd")
