"""The repository's root, the AWS region of the product, and the interface that local programs listen on."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REGION = "ap-southeast-3"
LOOPBACK = "127.0.0.1"
EXAMPLE_DIR = ROOT / "examples" / "tanah-abang-2024"
