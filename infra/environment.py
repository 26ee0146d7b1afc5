"""The environment of the functions: one variable for each setting of `chalicelib.settings.Settings`."""

import re
from collections.abc import Container
from typing import Any

from chalicelib.settings import Settings

_PREFIX = "DAFTAR_"
_READ_BY_LIBRARIES = {
    "POWERTOOLS_SERVICE_NAME": "daftar",
    "POWERTOOLS_METRICS_NAMESPACE": "Daftar",
    # There are none, and looking for them opens the metadata of every package on each cold start.
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}


def make_variables(names: Container[str]) -> dict[str, Any]:
    """Return the value of each variable. `names` are the parameters and resources of the template.

    `DAFTAR_QUIET_FROM` is the parameter `QuietFrom`, `DAFTAR_KEYS_TABLE` the resource `KeysTable`; `_URL` or
    `_ARN` may follow the name of a resource. Raise ValueError for a variable that names neither.
    """
    variables = [each.variable for each in Settings.fields.values()]
    return {**{each: _make_reference(each, names) for each in variables}, **_READ_BY_LIBRARIES}


def _make_reference(variable: str, names: Container[str]) -> dict[str, Any]:
    name = to_template_name(variable)
    if name in names:
        return {"Ref": name}
    resource, kind = re.fullmatch(r"(\w+?)(Url|Arn|)", name).groups()  # type: ignore[union-attr]
    if kind and resource in names:
        return {"Ref": resource} if kind == "Url" else {"Fn::GetAtt": [resource, "Arn"]}
    raise ValueError(f"{variable}: the template has no parameter or resource {name}")


def to_template_name(variable: str) -> str:
    """Return the name that a variable has in the template: `DAFTAR_SMS_A_DAY` is `SmsADay`."""
    return variable.removeprefix(_PREFIX).title().replace("_", "")
