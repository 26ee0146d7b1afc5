"""The zip and the template that are deployed, here and on AWS: what Chalice packages, pruned and compiled.

The same source gives the same bytes, so that a deployment without a change is no deployment.
"""

import fcntl
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import click
import yaml

from ops.deploy import sms_templates
from ops.openapi.page import write_page
from ops.programs import run_program
from ops.project import REGION, ROOT

# What of our dependencies never runs in our Lambdas. A test imports the application from what is left.
PRUNED_PATTERNS = {
    "*.pyi": "read by type checkers only",
    "*/py.typed": "read by type checkers only",
    "*.data/*": "command-line programs of the dependencies",
    "*.dist-info/RECORD": "a list of files that is no longer true after pruning",
    "*.dist-info/METADATA": "mostly their README; the licences stay",
    "*.dist-info/sboms/*": "read by scanners of packages, which read the requirements here",
    "pydantic/v1/*": "the previous major version",
    "pydantic/mypy.py": "a plug-in of a type checker",
    "pydantic/color.py": "deprecated, and loaded only by name",
    "pydantic/experimental/*": "unused",
    "annotated_types/test_cases.py": "its tests",
    "Cryptodome/SelfTest/*": "its tests",
    "phonenumbers/carrier.py": "whose a number is, and where; nobody asks",
    "phonenumbers/geocoder.py": "the same",
    "phonenumbers/prefix.py": "the same",
    "phonenumbers/timezone.py": "the same",
    "aws_lambda_powertools/metrics/provider/datadog/*": "another vendor's metrics",
    "aws_lambda_powertools/event_handler/*": "Powertools' own router and its Swagger UI; ours is Chalice",
    "aws_lambda_powertools/utilities/auth_alpha/*": "unused",
    "aws_lambda_powertools/utilities/circuit_breaker/*": "unused",
    "aws_lambda_powertools/utilities/data_classes/*_mq_event.py": "events that never reach us",
    "aws_lambda_powertools/utilities/data_classes/api_gateway_authorizer_event.py": "Chalice reads these",
    "aws_lambda_powertools/utilities/data_classes/appsync_authorizer_event.py": "the same",
    "aws_lambda_powertools/utilities/data_classes/cognito_user_pool_event.py": "the same",
    "aws_lambda_powertools/utilities/data_classes/iot_registry_event.py": "the same",
    "aws_lambda_powertools/utilities/data_classes/s3_object_event.py": "the same",
    "aws_lambda_powertools/utilities/data_masking/*": "unused",
    "aws_lambda_powertools/utilities/feature_flags/*": "unused",
    "aws_lambda_powertools/utilities/idempotency/*": "unused: the store's conditions make repeats safe",
    "aws_lambda_powertools/utilities/kafka/*": "unused",
    "aws_lambda_powertools/utilities/metadata/*": "unused",
    "aws_lambda_powertools/utilities/parameters/*": "unused",
    "aws_lambda_powertools/utilities/parser/envelopes/*": "unused",
    "aws_lambda_powertools/utilities/streaming/*": "unused",
    "aws_lambda_powertools/utilities/validation/*": "unused",
}

# Of four libraries only a part is used. The rest of the cryptography, nine tenths of it, is other algorithms
# and their tests; a campaign's zone is one of four, and Lambda's image may have no zones of its own; short
# numbers are those of emergency services, which nobody registers with; of the models of events, batches
# import those of queues and streams alone.
_NEEDED_PATTERNS = {
    "tzdata/zoneinfo/": (
        "tzdata/zoneinfo/__init__.py",
        "tzdata/zoneinfo/Asia/__init__.py",
        "*/Asia/Jakarta",
        "*/Asia/Pontianak",
        "*/Asia/Makassar",
        "*/Asia/Jayapura",
    ),
    "phonenumbers/shortdata/": ("*/__init__.py", "*/region_ID.py"),
    "aws_lambda_powertools/utilities/parser/models/": (
        "*/__init__.py",
        *(f"*/{source}.py" for source in ("cloudwatch", "dynamodb", "kafka", "kinesis", "sqs")),
    ),
    "Cryptodome/": (
        "*/__init__.py",
        "*/Cipher/AES.py",
        "*/Cipher/_mode_ctr.py",
        "*/Cipher/_mode_ecb.py",
        "*/Cipher/_mode_gcm.py",
        "*/Cipher/_raw_aes*",
        "*/Cipher/_raw_ctr.*",
        "*/Cipher/_raw_ecb.*",
        "*/Hash/BLAKE2s.py",
        "*/Hash/_BLAKE2s.*",
        "*/Hash/_ghash_*",
        "*/Random/*",
        "*/Util/_*",
        "*/Util/number.py",
        "*/Util/py3compat.py",
    ),
}

# Read when a number of that country first appears, which is no cold start: not worth their size twice.
_UNCOMPILED_PATTERN = r"/phonenumbers/(short)?data/region_(?!ID\.)"

_TASK_ROOT = "/var/task"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_COMPRESSION_LEVEL = 6


@dataclass(frozen=True)
class Package:
    """A packaged application: `deployment.zip` and the CloudFormation template that goes with it."""

    archive: Path
    template: dict[str, Any]

    @property
    def digest(self) -> str:
        """What names the zip's content."""
        return sha256(self.archive.read_bytes()).hexdigest()

    @property
    def unpacked_bytes(self) -> int:
        """What Lambda unpacks on a cold start."""
        with ZipFile(self.archive) as archive:
            return sum(entry.file_size for entry in archive.infolist())


def package_app(stage: str, output_dir: Path) -> Package:
    """Package a stage into the directory `out`.

    Raises TemplateInvalid for a text that may not be published, or OperationError, with what Chalice said, if it
    cannot.
    """
    sms_templates.check_templates()
    output_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as directory:
        raw = Path(directory)
        _run_chalice_package(stage, raw)
        template = _remove_stray_subs(yaml.safe_load((raw / "sam.yaml").read_text()))
        tree = raw / "tree"
        _unpack_needed(raw / "deployment.zip", tree)
        write_page(tree)
        _compile(tree)
        _pack(tree, output_dir / "deployment.zip")
    (output_dir / "template.json").write_text(json.dumps(template, indent=1) + "\n")
    return Package(output_dir / "deployment.zip", template)


def _run_chalice_package(stage: str, output_dir: Path) -> None:
    command: list[str | Path] = [Path(sys.executable).with_name("chalice"), "package", "--stage", stage]
    command += ["--merge-template", "infra/resources.yaml", "--template-format", "json", output_dir]
    # Chalice keeps the dependencies in .chalice/deployments between runs, without a lock of its own.
    with (ROOT / "requirements.txt").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run_program(command, cwd=ROOT, environment={**os.environ, "AWS_DEFAULT_REGION": REGION})


def _remove_stray_subs(value: Any) -> Any:
    """The template with `Fn::GetAtt` alone wherever merging has left Chalice's `Fn::Sub` beside it."""
    if isinstance(value, dict):
        stray = {"Fn::Sub"} if "Fn::GetAtt" in value else set()
        return {key: _remove_stray_subs(inner) for key, inner in value.items() if key not in stray}
    if isinstance(value, list):
        return [_remove_stray_subs(inner) for inner in value]
    return value


def _unpack_needed(archive: Path, tree: Path) -> None:
    with ZipFile(archive) as packed:
        packed.extractall(tree, [name for name in packed.namelist() if _is_needed(name)])


def _is_needed(name: str) -> bool:
    for library, needed in _NEEDED_PATTERNS.items():
        if name.startswith(library) and not _matches(name, needed):
            return False
    return not _matches(name, PRUNED_PATTERNS)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _compile(tree: Path) -> None:
    """Compile for this interpreter, which is the one that Chalice names as the runtime.

    Lambda cannot write its task directory, so without this each cold start compiles again. The hash is
    unchecked because the files never change there. A fresh interpreter, fixed hashing and one worker keep the
    bytes the same.
    """
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    command += ["-x", _UNCOMPILED_PATTERN, "-s", tree, "-p", _TASK_ROOT, tree]
    run_program(command, cwd=tree, environment={"PYTHONHASHSEED": "0"})


def _pack(tree: Path, archive: Path) -> None:
    with ZipFile(archive, "w") as packed:
        for path in _iter_files(tree):
            entry = ZipInfo(path.relative_to(tree).as_posix(), _EPOCH)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, path.read_bytes(), ZIP_DEFLATED, _COMPRESSION_LEVEL)


def _iter_files(tree: Path) -> Iterator[Path]:
    return (path for path in sorted(tree.rglob("*")) if path.is_file())


@click.command()
@click.option("--stage", default="prod", show_default=True)
@click.argument("out", type=click.Path(path_type=Path))
def main(stage: str, out: Path) -> None:
    """Package a stage into the directory OUT."""
    made = package_app(stage, out)
    click.echo(f"{made.archive}: {made.unpacked_bytes / 1e6:.1f} MB unpacked, sha256 {made.digest[:12]}")


if __name__ == "__main__":
    main()
