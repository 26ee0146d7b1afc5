"""Write the SBOM of a zip as CycloneDX JSON: components on standard input, the document on standard output.

It runs in the audit's own environment, where the CycloneDX library is. Nothing else of ours is imported.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL


def write_sbom(digest: str, components: Sequence[Mapping[str, Any]]) -> str:
    """Return the document: the zip with its SHA-256, and a component for each library in it."""
    archive = Component(
        name="daftar",
        type=ComponentType.APPLICATION,
        bom_ref="daftar",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
    )
    libraries = [_make_library(**component) for component in components]
    # The same zip has the same serial number.
    bom = Bom(components=libraries, serial_number=uuid5(NAMESPACE_URL, f"sha256:{digest}"))
    bom.metadata.component = archive
    bom.register_dependency(archive, libraries)
    outputter = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6)
    return str(outputter.output_as_string(indent=1)) + "\n"


def _make_library(name: str, version: str, licence: str | None) -> Component:
    purl = PackageURL("pypi", None, name.replace("_", "-").lower(), version)
    licences = [LicenseFactory().make_from_string(licence)] if licence else []
    return Component(name=name, version=version, bom_ref=purl.to_string(), purl=purl, licenses=licences)


if __name__ == "__main__":
    sys.stdout.write(write_sbom(**json.load(sys.stdin)))
