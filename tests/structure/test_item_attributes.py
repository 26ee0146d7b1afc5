"""The attribute names of items are known to store modules alone."""

import ast

from tests.support.source_tree import find_imports, parse_modules

ITEM_MODULES = {"chalicelib.aws.items", "chalicelib.aws.table"}
IMAGES = {"NewImage", "OldImage", "Keys"}
TYPE_NAMES = {"S", "N", "B", "M", "L", "BOOL"}


def is_store(path: str) -> bool:
    return path.rpartition("/")[2].startswith("store") or path.startswith("chalicelib/aws/")


def find_raw_item_uses(tree: ast.Module) -> set[str]:
    """Return the imports of item modules, and the subscripts of stream images and of raw attribute values."""
    subscripts = {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and node.slice.value in IMAGES | TYPE_NAMES
    }
    read_by_name = {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in IMAGES
    }
    return find_imports(tree) & ITEM_MODULES | subscripts | read_by_name


def test_only_stores_know_items_and_stream_images() -> None:
    found = {
        path: uses
        for path, tree in parse_modules().items()
        if not is_store(path) and (uses := find_raw_item_uses(tree))
    }
    assert found == {}


def test_the_search_finds_what_it_is_for() -> None:
    used = find_raw_item_uses(
        ast.parse(
            "from chalicelib.aws.items import from_item\n"
            "image = record['dynamodb'].get('NewImage')\n"
            "sort_key = image['sk']['S']\n"
        )
    )
    assert used == {"chalicelib.aws.items", "NewImage", "S"}
    stores = [path for path in parse_modules() if is_store(path)]
    assert any(find_raw_item_uses(parse_modules()[path]) for path in stores)
