"""Limits of AWS, and the settings of the stage that limit it itself. Pure but for the data files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import shares
from infra.template import join_template
from ops.project import ROOT

_QUOTAS_FILE = Path(__file__).with_name("quotas.json")
_SCENARIOS_FILE = Path(__file__).with_name("scenarios.json")


@dataclass(frozen=True)
class Assumptions:
    """A load and what it is made of, for a rate of registrations at its peak."""

    name: str
    registrations_a_second: float
    values: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        return self.values[name]


@dataclass(frozen=True)
class StageLimits:
    """The limits that the template sets, as it stands: defaults of parameters, event sources, time-outs.

    `most_runs` are the runs of a job side by side in a stage that asks for them.
    """

    parameters: Mapping[str, float]
    concurrency: Mapping[str, int]
    batch_size: Mapping[str, int]
    stream_batches_a_shard: int
    timeouts: Mapping[str, int]
    most_runs: int


def load_quotas() -> dict[str, float]:
    """Return the value of each quota."""
    data = json.loads(_QUOTAS_FILE.read_text(encoding="utf-8"))
    return {name: float(quota["value"]) for name, quota in data["quotas"].items()}


def load_scenarios() -> list[Assumptions]:
    """Return the scenarios, the smallest load first."""
    data = json.loads(_SCENARIOS_FILE.read_text(encoding="utf-8"))
    shared = {name: value for name, value in data.items() if isinstance(value, int | float)}
    scenarios = data["scenarios"].items()
    return [Assumptions(name, each["registrations_a_second"], shared) for name, each in scenarios]


def read_stage_limits() -> StageLimits:
    """Return the limits of a stage that sets none of its own."""
    document = join_template()
    events: dict[str, dict[str, Any]] = {
        function: event["Properties"]
        for function, resource in document["Resources"].items()
        for name, event in resource.get("Properties", {}).get("Events", {}).items()
        if name.startswith(function)
    }
    config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
    return StageLimits(
        parameters={
            name: float(parameter["Default"])
            for name, parameter in document["Parameters"].items()
            if parameter["Type"] == "Number" and "Default" in parameter
        },
        concurrency={
            function: event["ScalingConfig"]["MaximumConcurrency"]
            for function, event in events.items()
            if "ScalingConfig" in event
        },
        batch_size={
            function: event["BatchSize"] for function, event in events.items() if "BatchSize" in event
        },
        stream_batches_a_shard=events["OnRegistrationChanges"]["ParallelizationFactor"],
        timeouts={
            name.title().replace("_", ""): size["lambda_timeout"]
            for name, size in config["lambda_functions"].items()
        },
        most_runs=max(document["Parameters"][shares.PARAMETER]["AllowedValues"]),
    )
