"""Who may import what. A module is pure unless its file name is that of an adapter."""

import ast
from collections.abc import Callable
from graphlib import TopologicalSorter

from tests.support.source_tree import find_imports, find_matching_imports, parse_modules

# The files that speak with AWS, with Chalice or with the process; everything else is the domain.
STORES = {"dynamodb", "sqs", "kms", "aws_sms", "twilio", "ses", "store", "queues"}
ADAPTERS = STORES | {
    *("app", "settings", "wiring", "endpoints", "problems", "batches", "observability"),
    *("routes", "authorizer", "consumer", "schedule"),
}
OUTSIDE = ("boto3", "botocore", "chalice", "aws_lambda_powertools", "os", "chalicelib.wiring")

APP, SETTINGS, WIRING = "app.py", "chalicelib/settings.py", "chalicelib/wiring.py"

# A nonce must never come twice, whatever a test fixes: the cipher alone draws its own.
CHANCE_BUT_FOR = {"chalicelib/crypto/encryption.py": {"secrets", "secrets.token_bytes"}}


def name_of(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py")


def module_of(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def is_pure(path: str) -> bool:
    return name_of(path) not in ADAPTERS and not is_store(path)


def is_store(path: str) -> bool:
    return name_of(path).startswith("store_") or path.startswith("chalicelib/aws/")


def offenders(
    found_in: Callable[[str, ast.Module], set[str]], *, where: Callable[[str], bool]
) -> dict[str, set[str]]:
    """What was found, by the module it was found in."""
    found = {path: found_in(path, tree) for path, tree in parse_modules().items() if where(path)}
    assert found, "no module was looked at"
    return {path: names for path, names in found.items() if names}


def test_the_domain_knows_neither_aws_nor_chalice_nor_the_process() -> None:
    assert offenders(lambda _, tree: find_matching_imports(tree, *OUTSIDE), where=is_pure) == {}


def test_the_domain_reaches_no_adapter_either() -> None:
    adapters = {module_of(path) for path in parse_modules() if not is_pure(path)}
    assert offenders(lambda _, tree: find_imports(tree) & adapters, where=is_pure) == {}


def test_imports_are_written_out_whole() -> None:
    def relative_or_star(_: str, tree: ast.Module) -> set[str]:
        return {name for name in find_imports(tree) if name.startswith(".") or name.endswith(".*")}

    assert offenders(relative_or_star, where=lambda path: True) == {}


def test_no_module_imports_itself_in_the_end() -> None:
    known = {module_of(path) for path in parse_modules()}
    graph = {module_of(path): find_imports(tree) & known for path, tree in parse_modules().items()}
    TopologicalSorter(graph).prepare()


def test_nothing_imports_the_edge() -> None:
    assert offenders(lambda _, tree: find_matching_imports(tree, "app"), where=lambda path: path != APP) == {}


def test_chalice_stays_at_the_edge() -> None:
    def is_inside(path: str) -> bool:
        may_import_it = {"app", "routes", "endpoints", "problems"}
        return name_of(path) not in may_import_it and path != "chalicelib/clients/authorizer.py"

    assert offenders(lambda _, tree: find_matching_imports(tree, "chalice"), where=is_inside) == {}


def test_only_settings_reads_the_environment() -> None:
    assert (
        offenders(lambda _, tree: find_matching_imports(tree, "os"), where=lambda path: path != SETTINGS)
        == {}
    )


def test_only_wiring_can_build_clients() -> None:
    def able(_: str, tree: ast.Module) -> set[str]:
        harmless = find_matching_imports(tree, "boto3.dynamodb.types", "botocore.exceptions")
        return find_matching_imports(tree, "boto3", "botocore") - harmless

    assert offenders(able, where=lambda path: path != WIRING) == {}


def test_only_wiring_asks_for_the_time() -> None:
    def asked(_: str, tree: ast.Module) -> set[str]:
        attributes = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        clocks = {f"{of}.{name}" for of in ("datetime", "date") for name in ("now", "utcnow", "today")}
        return find_matching_imports(tree, "time") | attributes & clocks

    assert offenders(asked, where=lambda path: path != WIRING) == {}


def test_only_wiring_asks_for_chance() -> None:
    def asked(path: str, tree: ast.Module) -> set[str]:
        chance = find_matching_imports(tree, "secrets", "random", "uuid") - {"uuid", "uuid.UUID"}
        whole = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        return (chance | whole & {"uuid"}) - CHANCE_BUT_FOR.get(path, set())

    assert offenders(asked, where=lambda path: path != WIRING) == {}


def test_packages_never_meet_through_each_others_stores() -> None:
    def stores_of_others(path: str, tree: ast.Module) -> set[str]:
        own = module_of(path).rpartition(".")[0]
        return {
            found
            for found in find_matching_imports(tree, "chalicelib")
            if not found.startswith("chalicelib.aws.")
            and found.count(".") > 1
            and (found.split(".")[2] in STORES or found.split(".")[2].startswith("store_"))
            and not found.startswith(f"{own}.")
        }

    assert offenders(stores_of_others, where=lambda path: path != WIRING) == {}


def test_only_the_edge_reaches_for_what_wiring_built() -> None:
    def is_inside(path: str) -> bool:
        return name_of(path) not in {"app", "routes"}

    assert offenders(lambda _, tree: find_matching_imports(tree, "chalicelib.wiring"), where=is_inside) == {}
