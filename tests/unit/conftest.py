"""What the unit tests share."""

import pytest

from tests.fixtures.world import World


@pytest.fixture
def world() -> World:
    return World()
