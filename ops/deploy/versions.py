"""The versions of a stage's functions: which one the alias `live` names, and back to the release before.

A release is a zip. The versions of one release have the same digest of their code.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.functions import ALIAS
from infra.template import list_functions
from ops.deploy.releases import iter_functions
from ops.deploy.stages import Stage
from ops.errors import OperationError

# What is kept of each function: the release that is live, one that it may go back to, and one more.
_KEPT_VERSIONS = 3
_UNPUBLISHED = "$LATEST"
# What infra/functions.py writes to the description of a version.
_ITEM_FORMAT = re.compile(r"item format (\d+)")


class NoOlderRelease(OperationError):
    """There is no release that the stage can go back to; the message says why."""

    default_code = "no_older_release"


@dataclass(frozen=True)
class Version:
    """A published version of a function. `code` is the digest of its code, as Lambda writes it."""

    number: int
    code: str
    item_format: int = 1


@dataclass(frozen=True)
class Function:
    """A function of a stage: its published versions, oldest first, and the one that its alias names."""

    logical_id: str
    name: str
    versions: Sequence[Version]
    live: Version

    def find_newest(self, code: str) -> Version | None:
        """Return the newest version with this code, None if the function has none."""
        return next((each for each in reversed(self.versions) if each.code == code), None)


@dataclass(frozen=True)
class Move:
    """A function whose alias is to name another version."""

    function: Function
    version: Version

    def __str__(self) -> str:
        return f"{self.function.logical_id}: version {self.function.live.number} -> {self.version.number}"


class StageVersions:
    """The versions of all functions of a stage."""

    def __init__(self, stage: Stage) -> None:
        self._client = stage.aws_client("lambda")
        self.functions = [self._read(each, stage.outputs[f"{each}Name"]) for each in list_functions()]

    def plan_rollback(self, *, further: bool = False) -> list[Move]:
        """Return the moves to the newest release that is older than the live one.

        Functions that did not exist then stay as they are. Raise NoOlderRelease, also if the live release is
        not the newest and `further` is not set: data of the newest is readable by the one before it, and by
        no older one.
        """
        api = next(each for each in self.functions if each.logical_id == "APIHandler")
        if api.live.number < api.versions[-1].number and not further:
            raise NoOlderRelease(
                "the stage was rolled back already: older releases may not read what the newest has written"
            )
        older = [
            each for each in api.versions if each.number < api.live.number and each.code != api.live.code
        ]
        if not older:
            raise NoOlderRelease("no older release is kept on Lambda: deploy the commit of it")
        if older[-1].item_format < api.versions[-1].item_format - 1:
            raise NoOlderRelease(
                f"the older release knows items of format {older[-1].item_format} and the next, and those of "
                f"format {api.versions[-1].item_format} are stored"
            )
        return self._plan(older[-1].code)

    def plan_release(self, digest: str) -> list[Move]:
        """Return the moves after which the zip with this SHA-256, in hexadecimal, is live."""
        return self._plan(b64encode(bytes.fromhex(digest)).decode())

    def _plan(self, code: str) -> list[Move]:
        wanted = [(each, each.find_newest(code)) for each in self.functions if each.live.code != code]
        return [Move(function, version) for function, version in wanted if version]

    def move(self, moves: Sequence[Move]) -> None:
        """Let each alias name the version of its move, for all calls."""
        for each in moves:
            self._client.update_alias(
                FunctionName=each.function.name,
                Name=ALIAS,
                FunctionVersion=str(each.version.number),
                RoutingConfig={"AdditionalVersionWeights": {}},
            )

    def remove_old(self) -> int:
        """Delete all but the newest versions of each function, and never the live one. Return how many."""
        removed = 0
        for function in self.functions:
            for version in function.versions[:-_KEPT_VERSIONS]:
                if version != function.live:
                    self._client.delete_function(FunctionName=function.name, Qualifier=str(version.number))
                    removed += 1
        return removed

    def _read(self, logical_id: str, name: str) -> Function:
        pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
        found = [each for page in pages for each in page["Versions"] if each["Version"] != _UNPUBLISHED]
        versions = sorted((_parse(each) for each in found), key=lambda each: each.number)
        live = self._client.get_function_configuration(FunctionName=name, Qualifier=ALIAS)
        return Function(logical_id, name, versions, _parse(live))


def find_rolled_back(stage: Stage, template: Mapping[str, Any]) -> set[str]:
    """Return the functions of a stage's template whose alias does not name the code of that template."""
    client, found = stage.aws_client("lambda"), set()
    for function, properties in iter_functions(template):
        if name := stage.outputs.get(f"{function}Name"):
            live = client.get_function_configuration(FunctionName=name, Qualifier=ALIAS)
            digest = b64decode(live["CodeSha256"]).hex()
            if not str(properties.get("CodeUri", "")).endswith(f"/{digest}.zip"):
                found.add(function)
    return found


def _parse(configuration: Any) -> Version:
    item_format = _ITEM_FORMAT.fullmatch(configuration.get("Description", ""))
    number, code = int(configuration["Version"]), str(configuration["CodeSha256"])
    return Version(number, code, int(item_format[1]) if item_format else 1)
