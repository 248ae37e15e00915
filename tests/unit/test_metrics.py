"""What is measured, as Prometheus' own parser reads it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from bots.web.metrics import exposition
from core.model import Lane, LaneId, State, Tally

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SOON = NOW + timedelta(seconds=30)


def _read(tally: Tally) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(exposition(tally, NOW).decode())
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_every_state_is_there_also_where_nothing_is_in_it() -> None:
    read = _read(Tally({State.ACCEPTED: 7}, NOW - timedelta(seconds=12), {}))
    states = {label: value for (name, label), value in read.items() if name == "threadline_questions"}
    assert set(states) == {state.value for state in State}
    assert (states["accepted"], states["done"]) == (7, 0)
    assert read["threadline_oldest_due_seconds", ""] == 12


def test_an_open_and_a_half_open_circuit_and_a_pause_are_told_apart() -> None:
    lanes = [
        Lane(LaneId("paused"), paused_since=NOW, paused_until=SOON),
        Lane(LaneId("open"), away_since=NOW, paused_until=SOON),
        Lane(LaneId("half open"), away_since=NOW, paused_until=NOW - timedelta(seconds=1)),
        replace(Lane(LaneId("probing")), away_since=NOW, probing=True),
    ]
    read = _read(Tally({}, None, {lane.id: lane for lane in lanes}))
    circuits = {label: value for (name, label), value in read.items() if name == "threadline_lane_circuit"}
    assert circuits == {"paused": 0, "open": 2, "half open": 1, "probing": 1}
    pauses = {label: value for (name, label), value in read.items() if name.endswith("paused_seconds")}
    assert pauses == {"paused": 30, "open": 30, "half open": 0, "probing": 0}
    assert read["threadline_oldest_due_seconds", ""] == 0
