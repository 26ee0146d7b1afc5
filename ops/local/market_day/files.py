"""The files of the example: the campaign, one file of captures for each device, and the expected counts."""

import json

from ops.local.market_day.days import MarketDayGenerator
from ops.local.market_day.expected import compute_expected
from ops.local.market_day.setting import CAMPAIGN


def render_files(seed: int) -> dict[str, str]:
    """Return the text of every generated file by its name."""
    lines_by_client = MarketDayGenerator(seed).generate()
    capture_files = {
        f"{client_id}.jsonl": "".join(json.dumps(line.body, ensure_ascii=False) + "\n" for line in own)
        for client_id, own in lines_by_client.items()
    }
    return {
        "campaign.json": json.dumps(CAMPAIGN, ensure_ascii=False, indent=2) + "\n",
        **capture_files,
        "expected.json": json.dumps(compute_expected(lines_by_client, seed), ensure_ascii=False, indent=2)
        + "\n",
    }
