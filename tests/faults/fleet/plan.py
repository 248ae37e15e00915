"""What is asked of a fleet and done to it, and what has come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.faults.fleet.records import Seen
from tests.faults.fleet.town import Layout

QUESTIONS = 5_000


@dataclass(frozen=True, slots=True)
class Plan:
    """So many people ask so many questions; each of `pauses` seconds, by chance, one process is killed."""

    questions: int = QUESTIONS
    people: int = 100
    each: int = 5
    """Questions of a thread, at most; two more of those who are hasty."""
    hasty: float = 0.1
    """Share of people who go on before anybody has their first question: it may be overtaken."""
    pauses: tuple[float, float] = (2.5, 5.0)
    most_kills: int | None = None
    """None: as many as there is time for until all is answered."""
    restart_after: int = QUESTIONS // 2
    """The database is restarted once so many questions have been asked."""
    patience: float = 90.0
    """Seconds for which somebody waits for an answer before they go on; and all of them, in the end."""
    longest: float = 1_200.0
    """Seconds after which nothing more is asked: on two idle cores it is over in a third of that."""
    layout: Layout = field(default_factory=Layout)


@dataclass(frozen=True, slots=True)
class Toll:
    """What has come of it."""

    seen: Seen
    states: Mapping[str, str]
    complaints: Mapping[str, int]
    seconds: float
