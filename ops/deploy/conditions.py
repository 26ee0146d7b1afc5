"""The conditions of a template under which a statement of a policy, or one of its resources, is there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Each condition with the value that it must have.
Conditions = frozenset[tuple[str, bool]]

_NO_VALUE = {"Ref": "AWS::NoValue"}


def iter_branches(
    statements: Sequence[Mapping[str, Any]], conditions: Conditions = frozenset()
) -> Iterator[tuple[Mapping[str, Any], Conditions]]:
    """Yield each statement, those in an `Fn::If` too, with the conditions under which it is there."""
    for each in statements:
        if "Fn::If" in each:
            name, then, otherwise = each["Fn::If"]
            yield from iter_branches([then], conditions | {(name, True)})
            yield from iter_branches([otherwise], conditions | {(name, False)})
        elif "Action" in each:
            yield each, conditions


def open_resource(resource: Any) -> tuple[Any, Conditions]:
    """Return what a resource of a statement is, and the conditions under which it is there."""
    match resource:
        case {"Fn::If": [str(name), content, {"Ref": "AWS::NoValue"}]}:
            return content, frozenset({(name, True)})
        case {"Fn::If": [str(name), {"Ref": "AWS::NoValue"}, content]}:
            return content, frozenset({(name, False)})
    return resource, frozenset()


def are_conditional(resources: Sequence[Any]) -> bool:
    """Return True if there may be none of these: IAM refuses a statement without a resource."""
    return all(open_resource(each)[1] for each in resources)


def wrap(statement: Mapping[str, Any], conditions: Conditions) -> dict[str, Any]:
    """Return a statement that is there under these conditions."""
    wrapped = dict(statement)
    for name, value in sorted(conditions, reverse=True):
        wrapped = {"Fn::If": [name, wrapped, _NO_VALUE] if value else [name, _NO_VALUE, wrapped]}
    return wrapped
