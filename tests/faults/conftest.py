"""What the fault tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from coverage import Coverage

from tests.fixtures.walk import Walk, walk


@pytest.fixture(autouse=True)
def unmeasured(request: pytest.FixtureRequest) -> Iterator[None]:
    """Count no lines meanwhile: other tests walk them, and counting takes a third of the time."""
    measuring = None if request.node.get_closest_marker("measured") else Coverage.current()
    if measuring is not None:
        measuring.stop()
    yield
    if measuring is not None:
        measuring.start()


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Walk]:
    """The simulated Slack workspace and assistant, with an installation that points at them."""
    async with walk(tmp_path) as whole:
        yield whole
