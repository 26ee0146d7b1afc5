"""Import rules: which modules may reach AWS, Chalice, the environment, the clock, or one another."""

import ast
from collections.abc import Callable, Iterator, Mapping
from graphlib import TopologicalSorter

from tests.support.source_tree import (
    find_imports,
    find_matching_imports,
    find_runtime_imports,
    iter_calls,
    parse_modules,
)

# The file names of modules that reach AWS, Chalice or the process. All others are pure.
STORES = {"dynamodb", "sqs", "kms", "aws_sms", "twilio", "ses", "store", "queues"}
ADAPTERS = STORES | {
    *(
        "app",
        "settings",
        "container",
        "builder",
        "endpoints",
        "route_access",
        "problems",
        "batches",
        "observability",
        "records",
    ),
    *("routes", "authorizer", "middleware", "consumer", "schedule"),
    *("http_posts", "bot_api", "cloud_api"),
}
IMPURE = ("boto3", "botocore", "chalice", "aws_lambda_powertools", "os", "chalicelib.container")

APP, SETTINGS = "app.py", "chalicelib/settings.py"
CONTAINER, CONTAINER_STORES = "chalicelib/container.py", "chalicelib/container_stores.py"
AWS = "chalicelib/aws/"
AWS_CLIENTS = {f"{AWS}{name}.py" for name in ("clients", "service_data", "sessions")}
CLOCK, RANDOMNESS = "chalicelib/clock.py", "chalicelib/randomness.py"

# A nonce must never repeat, whatever a test fixes: only the cipher draws its own.
RANDOM_EXCEPT = {"chalicelib/crypto/encryption.py": {"secrets", "secrets.token_bytes"}}


def name_of(path: str) -> str:
    """Return the module's name; one of one flow, such as `store_ledger`, counts as its kind."""
    name = path.rpartition("/")[2].removesuffix(".py")
    kind = name.partition("_")[0]
    return kind if kind in {"store", "builder", "container", "routes"} else name


def module_of(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def is_store(name: str) -> bool:
    return name in STORES or name.startswith("store_")


def is_pure(path: str) -> bool:
    name = name_of(path)
    return name not in ADAPTERS and not is_store(name) and not path.startswith(AWS)


def find_offenders(
    find: Callable[[str, ast.Module], set[str]], *, where: Callable[[str], bool]
) -> dict[str, set[str]]:
    """Return what `find` finds, by the path of its module."""
    found = {path: find(path, tree) for path, tree in parse_modules().items() if where(path)}
    assert found, "no module was searched"
    return {path: names for path, names in found.items() if names}


def find_offending_imports(*names: str, where: Callable[[str], bool]) -> dict[str, set[str]]:
    return find_offenders(lambda _, tree: find_matching_imports(tree, *names), where=where)


def build_package_graph() -> dict[str, set[str]]:
    """Return the packages and top-level modules of `chalicelib`, each with those that it imports."""
    graph: dict[str, set[str]] = {}
    for path, tree in parse_modules().items():
        package = path.removesuffix(".py").split("/")[1] if "/" in path else "app"
        imported = {
            name.split(".")[1] for name in find_runtime_imports(tree) if name.startswith("chalicelib.")
        }
        graph.setdefault(package, set()).update(imported - {package})
    return graph


def find_circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Return the groups of nodes that reach one another."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            new = graph.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        return seen

    reached = {node: reach(node) for node in graph}
    circles = {
        frozenset(other for other in reached[node] if node in reached.get(other, ()))
        for node in graph
        if node in reached[node]
    }
    return sorted((set(circle) for circle in circles), key=sorted)


def iter_clock_reads(tree: ast.Module) -> Iterator[str]:
    clocks = {f"{kind}.{name}" for kind in ("datetime", "date") for name in ("now", "utcnow", "today")}
    yield from find_matching_imports(tree, "time")
    yield from clocks & {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_the_domain_imports_neither_aws_nor_chalice_nor_the_process() -> None:
    assert find_offending_imports(*IMPURE, where=is_pure) == {}


def test_the_domain_imports_no_adapter() -> None:
    adapters = {module_of(path) for path in parse_modules() if not is_pure(path)}
    assert find_offenders(lambda _, tree: find_imports(tree) & adapters, where=is_pure) == {}


def test_imports_are_absolute_and_name_what_they_import() -> None:
    def find_relative_or_star(_: str, tree: ast.Module) -> set[str]:
        return {name for name in find_imports(tree) if name.startswith(".") or name.endswith(".*")}

    assert find_offenders(find_relative_or_star, where=lambda path: True) == {}


def test_no_modules_import_one_another() -> None:
    modules = {module_of(path) for path in parse_modules()}
    graph = {module_of(path): find_runtime_imports(tree) & modules for path, tree in parse_modules().items()}
    TopologicalSorter(graph).prepare()


def test_no_packages_import_one_another() -> None:
    graph = build_package_graph()
    assert {"app", "container", "registrations", "http", "aws"} <= graph.keys()
    assert find_circles(graph) == []


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"d"}}
    assert find_circles(graph) == [{"a", "b", "c"}]
    assert find_circles({**graph, "c": {"d"}}) == []


def test_nothing_imports_the_app() -> None:
    assert find_offending_imports("app", where=lambda path: path != APP) == {}


def test_only_routes_and_http_import_chalice() -> None:
    allowed = {"app", "routes", "route_access", "endpoints", "problems"}
    assert find_offending_imports("chalice", where=lambda path: name_of(path) not in allowed) == {}


def test_only_settings_reads_the_environment() -> None:
    assert find_offending_imports("os", where=lambda path: path != SETTINGS) == {}


def test_only_the_container_loads_settings() -> None:
    def find_loading(_: str, tree: ast.Module) -> set[str]:
        return {name for name, _ in iter_calls(tree)} & {"from_environment"}

    assert find_offenders(find_loading, where=lambda path: path != SETTINGS).keys() == {CONTAINER_STORES}


def test_only_builders_import_settings() -> None:
    def is_elsewhere(path: str) -> bool:
        return name_of(path) not in {"builder", "container"}

    assert find_offending_imports("chalicelib.settings", where=is_elsewhere) == {}


def test_only_the_app_imports_the_container_at_run_time() -> None:
    def find_container(_: str, tree: ast.Module) -> set[str]:
        return {name for name in find_runtime_imports(tree) if name.startswith("chalicelib.container")}

    assert find_offenders(find_container, where=lambda path: path != CONTAINER).keys() == {APP}


def test_only_routes_and_builders_take_the_container() -> None:
    def is_elsewhere(path: str) -> bool:
        return name_of(path) not in {"app", "routes", "builder"}

    assert find_offending_imports("chalicelib.container", where=is_elsewhere) == {}


def test_only_aws_clients_can_create_clients() -> None:
    def find_creators(_: str, tree: ast.Module) -> set[str]:
        harmless = find_matching_imports(tree, "botocore.exceptions", "botocore.serialize")
        return find_matching_imports(tree, "boto3", "botocore") - harmless

    assert find_offenders(find_creators, where=lambda path: path not in AWS_CLIENTS) == {}


def test_only_the_clock_reads_the_time() -> None:
    assert find_offenders(lambda _, tree: set(iter_clock_reads(tree)), where=lambda path: path != CLOCK) == {}


def test_only_randomness_draws_random_values() -> None:
    def find_draws(path: str, tree: ast.Module) -> set[str]:
        random = find_matching_imports(tree, "secrets", "random", "uuid") - {"uuid", "uuid.UUID"}
        modules = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        return (random | modules & {"uuid"}) - RANDOM_EXCEPT.get(path, set())

    assert find_offenders(find_draws, where=lambda path: path != RANDOMNESS) == {}


def test_no_package_imports_the_store_of_another() -> None:
    def find_stores(path: str, tree: ast.Module) -> set[str]:
        package = module_of(path).rpartition(".")[0]
        return {
            name
            for name in find_matching_imports(tree, "chalicelib")
            if not name.startswith("chalicelib.aws.")
            and name.count(".") > 1
            and is_store(name.split(".")[2])
            and not name.startswith(f"{package}.")
        }

    assert find_offenders(find_stores, where=lambda path: name_of(path) != "container") == {}
