"""Importing the app: it needs no environment, and builds no clients and no schemas."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

from tests.support.source_tree import ROOT

IMPORT_ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
import botocore.session

def create_client(*_, **__):
    raise AssertionError("a client is created at import")

botocore.session.Session.create_client = create_client

import pydantic.json_schema

def generate(*_, **__):
    raise AssertionError("a schema is generated at import")

pydantic.json_schema.GenerateJsonSchema.generate = generate
pydantic.json_schema.GenerateJsonSchema.generate_definitions = generate
import app
"""


def test_the_app_imports_in_an_empty_environment() -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", IMPORT_ALONE, str(ROOT)],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


# Packages that captures do not need: they would slow down the API's cold start.
NOT_FOR_CAPTURES = (
    "channels",
    "chats",
    "conversations",
    "data_requests",
    "deliveries",
    "devices",
    "enrolments",
    "exports",
    "messaging",
    "notifications",
    "rescues",
    "reviews",
    "rollups",
    "searches",
    "statuses",
    "web",
)
# Modules that captures do not need, in packages that they do need.
MODULES_NOT_FOR_CAPTURES = {
    *("routes", "audit.routes", "campaigns.routes", "clients.routes", "contributions.routes"),
    *("corrections.routes", "http.routes", "occupations.routes"),
    *("registrations.routes_batch", "registrations.batch", "registrations.schemas_batch"),
    *("registrations.lifecycle", "registrations.stream", "registrations.schedule"),
    *("registrations.erasure", "registrations.reading", "registrations.discards"),
    *(f"registrations.store_{flow}" for flow in ("discards", "erasure", "lifecycle", "reading", "stream")),
}
# botocore makes the clients; boto3 would bring what they do without.
NOT_FOR_CAPTURES_LIBRARIES = {
    *("boto3", "jinja2", "multiprocessing", "phonenumbers", "s3transfer", "xlsxwriter"),
}
LIST_IMPORTS = """
import sys
sys.path.insert(0, sys.argv[1])
import app
print(*sys.modules)
"""


@cache
def list_imports() -> list[str]:
    """Return the modules that `import app` imports."""
    result = subprocess.run(
        [sys.executable, "-I", "-c", LIST_IMPORTS, str(ROOT)],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.split()


def parse_module(name: str) -> ast.Module:
    path = ROOT / name.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def iter_keywords(node: ast.ClassDef) -> Iterator[ast.keyword]:
    """Yield the keyword arguments of the decorators of a class."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call):
            yield from decorator.keywords


def test_the_app_imports_nothing_that_captures_do_not_need() -> None:
    modules = list_imports()
    assert not NOT_FOR_CAPTURES_LIBRARIES & set(modules)
    imported = {name.removeprefix("chalicelib.") for name in modules if name.startswith("chalicelib.")}
    inside = {name for name in imported if name.startswith(tuple(f"{each}." for each in NOT_FOR_CAPTURES))}
    assert inside == set()
    assert imported & MODULES_NOT_FOR_CAPTURES == set()


def test_immutable_values_that_the_app_imports_are_quick_to_define() -> None:
    frozen = {
        f"{name}.{node.name}"
        for name in list_imports()
        if name.startswith("chalicelib.")
        for node in parse_module(name).body
        if isinstance(node, ast.ClassDef) and "frozen=True" in map(ast.unparse, iter_keywords(node))
    }
    assert frozen == set()
