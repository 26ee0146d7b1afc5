"""checkov reads the template of production: every finding has an answer, and every answer a finding."""

import json
from pathlib import Path

from ops.audit.template import CHECKOV, compare, load_answers, run_checkov
from tests.support.template import PackagedTemplate


def test_checkov_finds_only_what_is_answered(template: PackagedTemplate, tmp_path: Path) -> None:
    assert CHECKOV.exists(), "checkov is not installed: make .checkov/.ready"
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template.document))
    report = run_checkov(file)
    assert report is not None
    assert report["summary"]["passed"] > 100
    assert compare(report, load_answers()) == []
