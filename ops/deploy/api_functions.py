"""Split the one function that Chalice makes for all routes into the functions of `infra/api_functions.py`."""

import json
from copy import deepcopy
from typing import Any

from infra.api_functions import INTAKE, ROUTES, find_function


def split_api(template: dict[str, Any]) -> None:
    """Give each route of the API to its function. All get the code, the memory and the time of Chalice's."""
    resources = template["Resources"]
    for function in ROUTES:
        own = resources[function]["Properties"]
        made = deepcopy(resources[INTAKE])
        # A snapshot costs more than the few starts of these are worth.
        del made["Properties"]["SnapStart"]
        resources[function] = {**made, "Properties": {**made["Properties"], **own}}
        resources[f"{function}InvokePermission"] = _rename(resources[f"{INTAKE}InvokePermission"], function)
    (api,) = (each for each in resources.values() if each["Type"] == "AWS::Serverless::Api")
    for path, methods in api["Properties"]["DefinitionBody"]["paths"].items():
        for method in methods:
            methods[method] = _rename(methods[method], find_function(method.upper(), path))


def _rename(value: Any, function: str) -> Any:
    """Return part of a template with another function in place of Chalice's."""
    text = (
        json.dumps(value).replace(f"${{{INTAKE}.", f"${{{function}.").replace(f'"{INTAKE}"', f'"{function}"')
    )
    return json.loads(text)
