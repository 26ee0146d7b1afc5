"""A curl command for each operation, to be copied into a shell.

The address and the token come from `$DAFTAR_URL` and `$DAFTAR_TOKEN`, so that no token stands in a page or in
the history of a shell.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

Node = Mapping[str, Any]

_JSON = "application/json"
_MULTIPART = "multipart/form-data"


def format_command(method: str, path: str, operation: Node, parameters: Sequence[Node]) -> str:
    """Return the command that sends the operation's first example."""
    examples = {(each["in"], each["name"]): each["example"] for each in parameters if "example" in each}
    for (place, name), value in examples.items():
        if place == "path":
            path = path.replace(f"{{{name}}}", value)
    query = urlencode({name: value for (place, name), value in examples.items() if place == "query"})
    lines = [f'curl {_format_method(method)}"$DAFTAR_URL{path}{f"?{query}" if query else ""}"']
    if operation["security"]:
        lines.append('--header "Authorization: Bearer $DAFTAR_TOKEN"')
    lines += _iter_body_options(operation)
    return " \\\n  ".join(lines)


def _format_method(method: str) -> str:
    return {"GET": "", "HEAD": "--head "}.get(method, f"--request {method} ")


def _iter_body_options(operation: Node) -> Iterator[str]:
    media_types = operation.get("requestBody", {}).get("content", {})
    if _MULTIPART in media_types:
        yield "--header 'X-OpenRosa-Version: 1.0'"
        yield "--form xml_submission_file=@submission.xml"
    if _JSON in media_types:
        yield f"--header 'Content-Type: {_JSON}'"
        examples = list(media_types[_JSON].get("examples", {}).values())
        # A body without an example is a file that a program makes.
        example = examples and json.dumps(examples[0]["value"], indent=1, ensure_ascii=False)
        yield f"--data {shlex.quote(example) if example else '@body.json'}"
