"""Read `deploy.toml`: where each stage is deployed, and the parameters of its template.

    [stages.prod]
    region = "ap-southeast-3"
    account = "123456789012"

    [stages.prod.parameters]
    Stage = "prod"
    AlarmEmail = "oncall@example.org"

The file holds no secret: the parameters of the template name secrets, they do not contain them.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from infra.template import load_parameters
from ops.errors import OperationError
from ops.project import REGION, ROOT

STAGE_FILE = ROOT / "deploy.toml"

# `daftar deploy` sets it by itself, from what it has made.
MADE_PARAMETERS = frozenset({"SmsConfigurationSet"})

# Production without these would lose alarms or mails in silence.
REQUIRED_IN_PRODUCTION = ("AlarmEmail", "MailFrom", "MailIdentity")

# Tables of production may not be deleted by one mistake, a bad version may not get all calls at once, and
# anybody can reach its API.
FIXED_IN_PRODUCTION = {"DeletionProtection": "true", "Canary": "true", "Firewall": "true"}

_STACK_PREFIX = "daftar-"
_PRODUCTION = "prod"
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_MAX_BUCKET_LENGTH = 63
_SOME_ACCOUNT = "0" * 12
_FIELDS = {"region": str, "account": str, "bucket": str, "parameters": dict}


class StageFileInvalid(OperationError):
    """The stage file cannot be used; the message names every fault."""

    default_code = "stage_file_invalid"


@dataclass(frozen=True)
class StageConfig:
    """The place and parameters of a stage. `account` is None if any will do, `bucket` for the usual name."""

    name: str
    region: str = REGION
    account: str | None = None
    bucket: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def stack_name(self) -> str:
        return f"{_STACK_PREFIX}{self.name}"

    @property
    def kind(self) -> str:
        """Return the value of the template's parameter `Stage`."""
        return self.parameters.get("Stage", _PRODUCTION if self.name == _PRODUCTION else "dev")

    def get_bucket(self, account: str) -> str:
        """Return the bucket for packages, whose name is unique among all accounts."""
        return self.bucket or _name_bucket(self.stack_name, account, self.region)


def _name_bucket(stack_name: str, account: str, region: str) -> str:
    return f"{stack_name}-artefacts-{account}-{region}"


def find_bucket(stack_name: str, account: str, region: str, file: Path = STAGE_FILE) -> str:
    """Return the bucket for packages of a stage, which may be gone. Raise StageFileInvalid."""
    section = _read_stages(file).get(stack_name.removeprefix(_STACK_PREFIX))
    bucket = section.get("bucket") if isinstance(section, dict) else None
    return str(bucket or _name_bucket(stack_name, account, region))


def read_stage_config(name: str, file: Path = STAGE_FILE) -> StageConfig:
    """Return the stage `name` of a file. A stage that the file does not name gets the defaults.

    Raise StageFileInvalid.
    """
    if not _STAGE_NAME.fullmatch(name):
        raise StageFileInvalid("a stage's name has lower-case letters, digits and hyphens, 31 at most")
    stages = _read_stages(file)
    section = stages.get(name, {})
    faults = [*_iter_section_faults(section)] if isinstance(section, dict) else ["it is not a table"]
    if faults:
        raise StageFileInvalid(f"{file.name}, stage {name}: {'; '.join(faults)}")
    parameters = {key: _to_text(value) for key, value in section.get("parameters", {}).items()}
    config = StageConfig(name, **{**section, "parameters": parameters})
    faults = [*_iter_parameter_faults(config)]
    if faults:
        raise StageFileInvalid(f"{file.name}, stage {name}: {'; '.join(faults)}")
    return config


def _read_stages(file: Path) -> Mapping[str, Any]:
    if not file.exists():
        return {}
    try:
        stages = tomllib.loads(file.read_text(encoding="utf-8")).get("stages", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StageFileInvalid(f"{file.name} is not TOML: {error}") from None
    if not isinstance(stages, dict):
        raise StageFileInvalid(f"{file.name}: `stages` is not a table")
    return stages


def _iter_section_faults(section: Mapping[str, Any]) -> Iterator[str]:
    for key, value in section.items():
        if key not in _FIELDS:
            yield f"`{key}` is not a field of a stage ({', '.join(_FIELDS)})"
        elif not isinstance(value, _FIELDS[key]):
            yield f"`{key}` is not a {'table' if _FIELDS[key] is dict else 'text'}"


def _iter_parameter_faults(config: StageConfig) -> Iterator[str]:
    known = load_parameters()
    for name, value in config.parameters.items():
        if name in MADE_PARAMETERS:
            yield f"{name} is set by `daftar deploy` itself"
        elif name not in known:
            yield f"there is no parameter {name}"
        elif expected := _find_expectation(known[name], value):
            yield f"{name} is {expected}, not {value!r}"
    if (length := len(config.get_bucket(_SOME_ACCOUNT))) > _MAX_BUCKET_LENGTH:
        yield f"the name of its bucket would have {length} characters of {_MAX_BUCKET_LENGTH}: set `bucket`"
    yield from _iter_kind_faults(config)


def _iter_kind_faults(config: StageConfig) -> Iterator[str]:
    # By itself it would be dev, and what production must have would not be looked at.
    if (
        config.name != _PRODUCTION
        and config.name.startswith(_PRODUCTION)
        and "Stage" not in config.parameters
    ):
        yield f"it needs Stage: {_PRODUCTION} if it is production, else dev"
    if config.kind == "local":
        yield "Stage local belongs to the local stack: daftar up"
    if config.kind == _PRODUCTION:
        yield from _iter_production_faults(config.parameters)


def _iter_production_faults(parameters: Mapping[str, str]) -> Iterator[str]:
    yield from (f"production needs {name}" for name in REQUIRED_IN_PRODUCTION if not parameters.get(name))
    for name, value in FIXED_IN_PRODUCTION.items():
        if parameters.get(name, value) != value:
            yield f"{name} is {value} in production"


def _find_expectation(parameter: Mapping[str, Any], value: str) -> str | None:
    """Return what a parameter's value has to be, or None if it is that."""
    if allowed := [str(each) for each in parameter.get("AllowedValues", ())]:
        return None if value in allowed else f"one of {', '.join(allowed)}"
    if parameter["Type"] == "Number":
        return _find_number_expectation(parameter, value)
    pattern = parameter.get("AllowedPattern", ".*")
    return None if re.fullmatch(pattern, value) else f"something like {pattern}"


def _find_number_expectation(parameter: Mapping[str, Any], value: str) -> str | None:
    lowest, highest = parameter.get("MinValue", -inf), parameter.get("MaxValue", inf)
    if re.fullmatch(r"-?[0-9]{1,12}", value) and lowest <= int(value) <= highest:
        return None
    return f"a whole number from {lowest} to {highest}"


def _to_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
