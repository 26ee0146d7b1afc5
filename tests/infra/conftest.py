"""The template under test is the packaged one, made once: what would be deployed, not what was written."""

import pytest

from ops.deploy.packaging import package_app
from tests.support.template import PackagedTemplate


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> PackagedTemplate:
    return PackagedTemplate(package_app("prod", tmp_path_factory.mktemp("package")).template)
