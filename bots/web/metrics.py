"""What the queue holds, as Prometheus reads it: counted in the tables, by their indexes, whenever it asks."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.model import Lane, State, Tally

#: The type of what `exposition` returns (Prometheus's text format, 0.0.4).
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(tally: Tally, now: datetime) -> bytes:
    """Return the metrics as text. No label holds anything that people wrote."""
    registry = CollectorRegistry()
    registry.register(_Queue(tally, now))
    return generate_latest(registry)


class _Queue(Collector):
    def __init__(self, tally: Tally, now: datetime) -> None:
        self._tally = tally
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        states = GaugeMetricFamily(
            "threadline_questions",
            "Questions by state; done, cancelled and refused: of those accepted within the last hour.",
            labels=["state"],
        )
        for state in State:
            states.add_metric([state.value], self._tally.by_state.get(state, 0))
        yield states
        oldest = self._tally.oldest_due
        late = 0.0 if oldest is None else max(0.0, (self._now - oldest).total_seconds())
        yield GaugeMetricFamily(
            "threadline_oldest_due_seconds", "For how long the oldest work has been due.", value=late
        )
        paused = GaugeMetricFamily(
            "threadline_lane_paused_seconds", "For how long a lane is paused still.", labels=["lane"]
        )
        circuit = GaugeMetricFamily(
            "threadline_lane_circuit", "0 closed, 1 half open (probing), 2 open.", labels=["lane"]
        )
        for lane in self._tally.lanes.values():
            left = 0.0 if lane.paused_until is None else (lane.paused_until - self._now).total_seconds()
            paused.add_metric([lane.id], max(0.0, left))
            circuit.add_metric([lane.id], self._circuit(lane))
        yield paused
        yield circuit

    def _circuit(self, lane: Lane) -> int:
        if lane.away_since is None:
            return 0
        return 2 if lane.is_paused(self._now) else 1
