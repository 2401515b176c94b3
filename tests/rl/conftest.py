"""What the tests of RL share: the toy that they start from."""

import pytest

from tests.support.rl_toy import make_start


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Folder of a tiny model that answers with a random boxed digit, and its problems; tests change nothing there."""
    return make_start(tmp_path_factory.mktemp("toy"))
