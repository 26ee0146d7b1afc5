"""Package the template once: these tests check what would be deployed."""

import pytest

from ops.deploy.packaging import package_app
from tests.support.template import PackagedTemplate


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> PackagedTemplate:
    return PackagedTemplate(package_app("prod", tmp_path_factory.mktemp("package")).template)
