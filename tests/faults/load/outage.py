"""The assistant is away for ten minutes of a clock that is moved: `run` counts calls, messages, the drain."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bots.demo.assistant import Cut, Fault, ReceivedCall, faults
from bots.demo.assistant.faults import FaultQueue
from bots.demo.assistant.journal import Outcome
from bots.wiring import Threadline, running
from core.clock import Clock
from core.model.lanes import FIRST_WAIT, TRIP
from tests.faults.load import count
from tests.faults.load.crowd import Crowd, Known, crowd, let_be
from tests.faults.load.evidence import carried_out
from tests.faults.load.people import Chat
from tests.faults.report import Report
from tests.fixtures.guild import ShiftedClock

_CONCURRENCY = 8
_LONGEST_WAIT = 60.0
_LOOKS_WITHIN = timedelta(seconds=_LONGEST_WAIT * 1.25 + 3)  #: the longest wait, jitter, a step and a little
_STEP = 1.0  #: seconds the clock is set on at once
_TURNS = 4  #: transactions between waking up and asking
_LATENCY = 0.05
_FAILED = "chat call failed"
"""What Threadline logs of each call that came to nothing, one that was never taken by anybody too."""

_WAYS: Sequence[Fault] = (
    faults.status(503),
    faults.status(500, html=True),
    faults.disconnect(Cut.BEFORE_READING),
    faults.disconnect(Cut.AFTER_READING),
    faults.latency(8.0, faults.status(504)),
)


@dataclass(frozen=True, slots=True)
class Outage:
    """So many questions that come while nobody is there, for so many seconds of the moved clock."""

    questions: int = 200
    seconds: float = 600.0
    before: int = 10
    """How many are asked, and answered, before."""
    unreachable: float = 0.3
    """This share of the time the connection is refused; else the calls come to nothing in many ways."""
    patience: float = 120.0

    @property
    def most_calls(self) -> int:
        """Return how many calls the circuit lets through: what trips it, with what is under way, and probes.

        A probe is due after 5, 10, 20, 40 and then every 60 seconds, each wait at most a quarter longer.
        """
        probes, at, wait = 0, 0.0, FIRST_WAIT.total_seconds()
        while (at := at + wait) <= self.seconds:
            probes, wait = probes + 1, min(wait * 2, _LONGEST_WAIT)
        return TRIP + _CONCURRENCY - 1 + probes


class _Down(FaultQueue):
    """Every request comes to nothing, in one way or another, while the clock is in the outage."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        super().__init__()
        self.ends: datetime | None = None
        self._clock = clock
        self._rng = rng

    def take(self) -> Fault | None:
        if self.ends is None or self._clock.now() >= self.ends:
            return None
        return self._rng.choice(_WAYS)


async def run(scale: float = 1.0, seed: str = "") -> Report:
    """Have 200 people ask in ten minutes without an assistant; `scale` has fewer or more ask."""
    plan = Outage(max(10, round(Outage().questions * scale)))
    return await carried_out("outage", seed, lambda folder, chosen: outage(plan, folder, chosen))


async def outage(plan: Outage, folder: Path, seed: str, known: Known = let_be) -> Report:
    """Carry a plan out in a folder of its own, within this process. What it logs is not shown.

    `known` is called with the crowd before anybody asks.
    """
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    clock = ShiftedClock()
    with structlog.testing.capture_logs() as logs:
        async with crowd(folder, clock) as here:
            known(here)
            here.assistant.faults = down = _Down(clock, rng)
            here.assistant.latency = _LATENCY
            settings = replace(here.settings(), discord=None)
            async with running(settings, clock) as threadline:
                await here.workspace.until(lambda: here.slack.socket_connections)
                for _ in range(plan.before):
                    await here.answer(await here.ask(here.newcomer(Chat.SLACK)))
                began = clock.now()
                down.ends = began + timedelta(seconds=plan.seconds)
                await _endure(here, threadline, plan, rng, until=down.ends)
                await _until_asked(here, threadline, down.ends)
                missing = await here.settled(plan.patience)
            failed = sum(line["event"] == _FAILED for line in logs)
            span = (began, down.ends)
            return _report(here, plan, seed, span=span, failed=failed, missing=missing)


async def _endure(
    here: Crowd, threadline: Threadline, plan: Outage, rng: random.Random, *, until: datetime
) -> None:
    """Have people ask in the first four fifths of the outage, and let it pass."""
    moments = sorted(rng.uniform(0, plan.seconds * 0.8) for _ in range(plan.questions))
    port = int(here.assistant.url.rpartition(":")[2])
    began = until - timedelta(seconds=plan.seconds)
    refused_until = began + timedelta(seconds=plan.seconds * plan.unreachable)
    await here.assistant.stop()
    is_up = False
    while here.clock.now() < until:
        if not is_up and here.clock.now() >= refused_until:
            await here.assistant.start(port=port)
            is_up = True
        while moments and began + timedelta(seconds=moments[0]) <= here.clock.now():
            await here.ask(here.newcomer(Chat.SLACK))
            moments.pop(0)
        await here.taken()
        await _later(here, threadline)


async def _later(here: Crowd, threadline: Threadline) -> None:
    """Set the clock on a little, and let everything that is due then be done as far as this machine goes."""
    assert isinstance(here.clock, ShiftedClock)
    here.clock.advance(_STEP)
    for _ in range(_TURNS):
        await threadline.tally()  # behind what else is to be written


async def _until_asked(here: Crowd, threadline: Threadline, ended: datetime) -> None:
    """Let time pass until somebody has looked whether the assistant is back."""
    while not any(call.started_at >= ended for call in here.chats()):
        await _later(here, threadline)


def _report(
    here: Crowd,
    plan: Outage,
    seed: str,
    *,
    span: tuple[datetime, datetime],
    failed: int,
    missing: Sequence[str],
) -> Report:
    states, (began, ended) = here.states(), span
    after = [call for call in here.chats() if call.started_at >= ended]
    waited = [asked for asked in here.questions.values() if asked.at >= began]
    last = max((said.at for asked in waited for said in asked.shown), default=ended)
    told = [len(asked.thread.strays) for asked in waited]
    figures = {
        "seed": seed,
        "away for": f"{plan.seconds:g} s, refusing connections for {plan.seconds * plan.unreachable:g} s",
        **count.tell(here, states),
        "waiting at its end": str(len(waited)),
        "calls during it": f"{failed}, refused connections among them; at most {plan.most_calls} may come",
        "first call after it": f"{(after[0].started_at - ended).total_seconds():.1f} s" if after else "–",
        "calls at once after it": ", ".join(f"{many}" for many in _at_once(after)[:12]) + " …",
        "drained in": f"{(last - ended).total_seconds():.1f} s, {_since(after, last):.1f} s after that call",
        "messages about it": f"{sum(told)} to {len(waited)} people, at most {max(told, default=0)} to one",
    }
    return Report(
        "outage",
        figures,
        [*missing, *count.verdict(here, states), *breaches(plan, ended, failed, after, told)],
    )


def _since(after: Sequence[ReceivedCall], last: datetime) -> float:
    return (last - after[0].started_at).total_seconds() if after else 0.0


def breaches(
    plan: Outage, ended: datetime, failed: int, after: Sequence[ReceivedCall], told: Sequence[int]
) -> list[str]:
    """Return what breaks the circuit's promises: few calls, one probe in time, then a window that widens.

    `failed` calls were made during the outage, the ones `after` it began later; `told` are the messages about
    it that each of those who waited was shown.
    """
    found = []
    if failed > plan.most_calls:
        found.append(f"{failed} calls during the outage, and {plan.most_calls} at most may come")
    if not after or after[0].started_at - ended > _LOOKS_WITHIN:
        found.append(f"nobody looked whether the assistant is back within {_LOOKS_WITHIN}")
    if max(told, default=0) > 1:
        found.append(f"somebody was told {max(told)} times of one outage")
    for number, (call, many) in enumerate(zip(after, _at_once(after), strict=True)):
        answered = sum(_is_answered(one, call.started_at) for one in after[:number])
        if many > min(1 + answered, _CONCURRENCY):
            found.append(f"{many} calls at once when {answered} had been answered after the outage")
    return found


def _at_once(calls: Sequence[ReceivedCall]) -> list[int]:
    """Return for each call how many were under way as it began, itself included."""
    return [
        1 + sum(one.finished_at is None or one.finished_at > call.started_at for one in calls[:number])
        for number, call in enumerate(calls)
    ]


def _is_answered(call: ReceivedCall, by: datetime) -> bool:
    return call.outcome is Outcome.ANSWERED and call.finished_at is not None and call.finished_at <= by
