"""What the integration tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.fixtures.commands import elsewhere
from tests.fixtures.many import Many, many
from tests.fixtures.walk import Walk, walk

__all__ = ["elsewhere", "town"]


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Walk]:
    """The simulated Slack workspace and assistant, with an installation that points at them."""
    async with walk(tmp_path) as whole:
        yield whole


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Many]:
    """Two simulated workspaces that may install the app, and what they install."""
    async with many(tmp_path) as whole:
        yield whole
