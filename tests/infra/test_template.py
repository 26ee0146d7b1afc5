"""The template as a whole is valid, without placeholders, and independent of account and region."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.template import merge
from tests.support.template import PackagedTemplate, to_json

ROOT = Path(__file__).parents[2]
REGION = "ap-southeast-3"

# Checks of cfn-lint that are ignored, and why.
IGNORED_CHECKS: dict[str, str] = {}

NAMES_AND_SIZES = {
    "version",
    "app_name",
    "stages",
    "api_gateway_stage",
    "api_gateway_endpoint_type",
    "manage_iam_role",
    "iam_role_arn",
    "lambda_functions",
    "lambda_timeout",
    "lambda_memory_size",
}


def test_cfn_lint_finds_nothing(template: PackagedTemplate, tmp_path: Path) -> None:
    packaged = tmp_path / "template.json"
    packaged.write_text(json.dumps(template.document))
    command = [str(Path(sys.executable).with_name("cfn-lint"))]
    command += ["--regions", REGION, "--template", str(packaged)]
    ignored = ["--ignore-checks", *IGNORED_CHECKS] if IGNORED_CHECKS else []
    result = subprocess.run([*command, *ignored], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, ""), result.stdout + result.stderr


def test_no_placeholder_of_the_decorators_is_left(template: PackagedTemplate) -> None:
    assert "from-infra" not in to_json(template.document)


def test_nothing_is_tied_to_one_account_or_region(template: PackagedTemplate) -> None:
    text = to_json(template.document)
    assert not re.search(r"\b\d{12}\b", text)
    assert not re.search(r"\b(ap|us|eu|sa|ca|me|af)-[a-z]+-\d\b", text)


def test_no_value_names_two_intrinsic_functions(template: PackagedTemplate) -> None:
    def check(value: object, path: str) -> None:
        if isinstance(value, dict):
            functions = [key for key in value if key.startswith("Fn::") or key == "Ref"]
            assert not functions or len(value) == 1, path
            for key, inner in value.items():
                check(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                check(inner, f"{path}[{index}]")

    check(template.document, "template")


def test_every_parameter_has_a_description_and_a_default(template: PackagedTemplate) -> None:
    for name, parameter in template.document["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        assert "Default" in parameter, name


def test_every_table_queue_and_function_has_an_output(template: PackagedTemplate) -> None:
    outputs = set(template.document["Outputs"])
    assert {f"{name}Name" for name in [*template.tables, *template.functions]} <= outputs
    assert {f"{name}Url" for name in template.queues} <= outputs


def test_nothing_can_be_defined_twice() -> None:
    document = {"Resources": {"KeysTable": {"Type": "AWS::DynamoDB::Table"}}}
    with pytest.raises(ValueError, match=r"Resources\.KeysTable\.Type is defined twice"):
        merge(document, {"Resources": {"KeysTable": {"Type": "AWS::DynamoDB::Table"}}})


@pytest.mark.parametrize("stage", ["local", "dev", "prod"])
def test_the_chalice_configuration_has_names_and_sizes_only(stage: str) -> None:
    configuration = json.loads((ROOT / ".chalice/config.json").read_text())
    assert configuration["stages"][stage] == {}
    keys = {*configuration, *(key for each in configuration["lambda_functions"].values() for key in each)}
    assert keys <= NAMES_AND_SIZES
