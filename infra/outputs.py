"""The outputs by which commands, tests and operators find what the stack has made."""

from collections.abc import Iterable, Mapping
from typing import Any


def make_outputs(resources: Mapping[str, Any], functions: Iterable[str]) -> dict[str, Any]:
    """Return `...Name` of each function, table, bucket and dashboard, `...Url` and `...Arn` of each queue."""
    values: dict[str, Any] = {
        # Chalice itself puts out the API's function.
        f"{function}Name": {"Ref": function}
        for function in functions
        if function != "APIHandler"
    }
    for name, resource in resources.items():
        match resource.get("Type"):
            case "AWS::DynamoDB::Table" | "AWS::S3::Bucket" | "AWS::CloudWatch::Dashboard":
                values[f"{name}Name"] = {"Ref": name}
            case "AWS::SQS::Queue":
                values[f"{name}Url"] = {"Ref": name}
                values[f"{name}Arn"] = {"Fn::GetAtt": [name, "Arn"]}
    return {output: {"Value": value} for output, value in values.items()}
