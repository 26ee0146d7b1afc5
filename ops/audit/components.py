"""List what is in the packaged zip beside our own code: each library with its version and its licence."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

from ops.audit.licences import find_licence
from ops.errors import OperationError

_OURS = {"app", "chalicelib"}


@dataclass(frozen=True, order=True)
class Component:
    """A library in the zip. `licence` is what `find_licence` found."""

    name: str
    version: str
    licence: str | None


def list_components(archive: Path) -> list[Component]:
    """Return the libraries of a zip by the code in it, not by a list of what should be there.

    The zip has no metadata of its libraries, so this environment must have the same versions installed. Raise
    OperationError for code that belongs to no library, and for a version that is not the installed one.
    """
    with ZipFile(archive) as zip_file:
        tops = {name.split("/", 1)[0] for name in zip_file.namelist()}
    packaged = {_normalise(top.removesuffix(".dist-info")) for top in tops if top.endswith(".dist-info")}
    code = {_name_module(top) for top in tops if not top.endswith(".dist-info")}
    owners = metadata.packages_distributions()
    names = {_find_owner(top, owners) for top in code - _OURS - {"__pycache__"}}
    components = [_describe(metadata.distribution(name)) for name in names]
    other = packaged - {_normalise(f"{component.name}-{component.version}") for component in components}
    if other:
        raise OperationError(f"the zip has other versions than this environment: {', '.join(sorted(other))}")
    return sorted(components)


def _name_module(top: str) -> str:
    """Return the name by which Python imports a file or directory, compiled or not."""
    return top.partition(".")[0] if top.endswith((".py", ".so")) else top


def _normalise(name: str) -> str:
    return name.replace("-", "_").lower()


def _find_owner(top: str, owners: Mapping[str, list[str]]) -> str:
    found = set(owners.get(top, []))
    if len(found) != 1:
        raise OperationError(f"no single library of this environment has the code `{top}` that is in the zip")
    return found.pop()


def _describe(distribution: metadata.Distribution) -> Component:
    return Component(distribution.metadata["Name"], distribution.version, find_licence(distribution))
