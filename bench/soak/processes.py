"""The processes of a local stack, by the function that each runs, as Linux shows them in /proc."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FUNCTION = "AWS_LAMBDA_FUNCTION_NAME"
# The emulator's own process has the variable of its port, which its workers inherit.
_PORT = "GATEWAY_PORT"
EMULATOR = "emulator"
_KILOBYTE = 1024


@dataclass(frozen=True)
class ProcessSample:
    """One process at one moment: resident memory, threads, open descriptors, and those that are sockets."""

    pid: int
    megabytes: float
    threads: int
    descriptors: int
    sockets: int


def sample_processes(port: int, *, proc: Path = Path("/proc")) -> dict[str, list[ProcessSample]]:
    """Return the processes of the stack on `port`, by the name of their function or `emulator`.

    A process that ends meanwhile is left out.
    """
    found: dict[str, list[ProcessSample]] = defaultdict(list)
    for folder in proc.glob("[0-9]*"):
        try:
            variables = dict(_iter_variables(folder))
            if variables.get(_PORT) == str(port):
                found[variables.get(_FUNCTION, EMULATOR)].append(_sample(folder))
        except OSError:
            continue
    return dict(found)


def _iter_variables(folder: Path) -> Iterator[tuple[str, str]]:
    for entry in (folder / "environ").read_bytes().decode(errors="replace").split("\0"):
        name, is_variable, value = entry.partition("=")
        if is_variable:
            yield name, value


def _sample(folder: Path) -> ProcessSample:
    lines = (line.partition(":") for line in (folder / "status").read_text().splitlines())
    status = {name: value.split() for name, _, value in lines}
    links = [_read_link(each) for each in (folder / "fd").iterdir()]
    return ProcessSample(
        pid=int(folder.name),
        # A process that has just ended has no memory any more.
        megabytes=int(status.get("VmRSS", ["0"])[0]) / _KILOBYTE,
        threads=int(status["Threads"][0]),
        descriptors=len(links),
        sockets=sum(link.startswith("socket:") for link in links),
    )


def _read_link(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # It was closed meanwhile.
        return ""
