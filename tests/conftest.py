"""What all tests share: none may hang for ever, nor look for garbage in what loading them has made."""

import gc
import signal
from collections.abc import Iterator
from types import FrameType

import pytest
from hypothesis import settings

pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.sent"]

settings.register_profile("whatever the machine does", deadline=None)
settings.load_profile("whatever the machine does")

_LONGEST = 120.0  #: seconds; the slowest test takes a tenth of it


def pytest_collection_finish() -> None:
    """Leave what was loaded out of the search for garbage, which would go through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Interrupt a test that waits for what does not come."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"still waiting after {_LONGEST:.0f} seconds")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, _LONGEST)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
