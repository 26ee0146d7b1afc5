"""Key rotation: every module that seals values can seal them again under a new key."""

import ast

from ops.sealed_items import SEALED_TABLES
from tests.support.source_tree import iter_calls, parse_modules

CIPHER = "chalicelib/crypto/encryption.py"


def test_every_module_that_seals_values_can_reseal_them() -> None:
    sealing = {
        path
        for path, tree in parse_modules().items()
        if path != CIPHER and any(name == "seal" for name, _ in iter_calls(tree))
    }
    rotated = {
        path
        for path, tree in parse_modules().items()
        if any(isinstance(node, ast.FunctionDef) and node.name == "reseal" for node in tree.body)
    }
    assert sealing
    assert sealing == rotated
    registered = {resealed.__module__.replace(".", "/") + ".py" for resealed in SEALED_TABLES.values()}
    assert registered == sealing
