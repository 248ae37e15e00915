"""What one run of a scenario has measured."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench.counting import Faults


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures by name, and what went wrong."""

    figures: Mapping[str, float]
    faults: Faults
