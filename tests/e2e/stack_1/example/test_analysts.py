"""The query of docs/analysts.md on the export of the example market day."""

import re
from collections import defaultdict
from pathlib import Path

import duckdb
import pytest

from chalicelib.exports.parquet import write_parquet
from ops.project import ROOT
from tests.e2e.stack_1.example.conftest import DAYS, MarketDay
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e


def read_query() -> str:
    text = (ROOT / "docs" / "analysts.md").read_text(encoding="utf-8")
    queries: list[str] = re.findall(r"```sql\n(.+?)```", text, re.DOTALL)
    return next(query for query in queries if "read_parquet" in query)


def download_exports(stack: RunningStack, directory: Path) -> None:
    """Write the rows of each day as a stage with the layer does; the local stack has none."""
    s3, bucket = stack.aws_client("s3"), stack.description.outputs["ExportsBucketName"]
    prefix = f"captures/campaign={stack.description.campaign_id}/"
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    for number, key in enumerate(key for key in keys if key.endswith(".jsonl.gz")):
        lines = directory / f"{number}.jsonl.gz"
        lines.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        target = directory / "parquet" / "/".join(key.split("/")[1:3]) / "part-0000.parquet"
        target.parent.mkdir(parents=True)
        write_parquet(lines, target)


def test_the_query_of_the_docs_answers_what_the_summaries_say(
    stack: RunningStack, market_day: MarketDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.fire_schedules()
    download_exports(stack, tmp_path)
    monkeypatch.chdir(tmp_path)

    with duckdb.connect() as connection:
        rows = connection.sql(read_query()).fetchall()

    registered: dict[str, dict[str, int]] = defaultdict(dict)
    for day, occupation, number in rows:
        registered[str(day)][occupation] = number
    assert registered == {day: market_day.summaries[day]["by_occupation"] for day in DAYS}
