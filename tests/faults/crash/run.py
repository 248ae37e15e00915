"""One town whose program is killed several times: what was proved of each kill, and what came of it."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path

from tests.faults.crash import verdict
from tests.faults.crash.aims import Marksman
from tests.faults.crash.command_side import CommandSide
from tests.faults.crash.discord_side import DiscordSide
from tests.faults.crash.rows import WriteLock
from tests.faults.crash.side import Asked, Side
from tests.faults.crash.slack_side import SlackSide, Transport
from tests.faults.crash.steps import Step, lost_promise, scene, step_of, was_in_flight
from tests.faults.crash.town import Town, town
from tests.faults.crash.wild import run_wild, until_busy


class Way(Enum):
    """By which platform, and how, the program hears of questions."""

    HTTP = "Slack, signed HTTP"
    SOCKET = "Slack, Socket Mode"
    DISCORD = "Discord, mentions"
    COMMAND = "Discord, /ask"

    def side(self) -> Side:
        """Return a new platform."""
        match self:
            case Way.HTTP:
                return SlackSide(Transport.HTTP)
            case Way.SOCKET:
                return SlackSide(Transport.SOCKET)
            case Way.DISCORD:
                return DiscordSide()
            case Way.COMMAND:
                return CommandSide()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does: so many rounds of questions and a kill, of which a share comes by chance (0 to 1)."""

    seed: str
    way: Way
    rounds: int = 5
    wildness: float = 0.0


@dataclass(slots=True)
class Toll:
    """What a run has come to.

    Seconds from each restart: `starts`, to when it listens; `recoveries`, to when the last question was
    settled, of which `caught_up` are those after the start.
    """

    plan: Plan
    aimed: Counter[Step] = field(default_factory=Counter)
    on_target: Counter[Step] = field(default_factory=Counter)
    hits: Counter[Step] = field(default_factory=Counter)
    kills: int = 0
    questions: int = 0
    calls: int = 0
    cut_off: int = 0
    turned_away: int = 0
    """Questions of whom the platform told their author that nobody received them."""
    recoveries: list[float] = field(default_factory=list)
    caught_up: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


async def run(plan: Plan, folder: Path, *, known: Callable[[Town], None] = lambda _: None) -> Toll:
    """Carry out a plan and judge each kill; stop at the first that does harm. `known` is told of the town."""
    rng = random.Random(plan.seed)  # noqa: S311 - to be replayed, not to be secret
    toll = Toll(plan)
    async with town(folder, plan.way.side(), random.Random(f"{plan.seed} loopback")) as here:  # noqa: S311 - as above
        known(here)
        try:
            await _rounds(here, rng, toll)
        except (TimeoutError, OSError) as error:
            toll.faults.append(f"broken off after kill {toll.kills}: {type(error).__name__} {error}")
        toll.questions, toll.calls = len(here.questions), sum(here.calls(one) for one in here.questions)
        toll.cut_off = sum(one.flights for one in here.questions)
        rows = here.rows()
        toll.turned_away = sum(verdict.was_turned_away(here, lambda: rows, one) for one in here.questions)
    return toll


async def _rounds(here: Town, rng: random.Random, toll: Toll) -> None:
    await here.start()
    for _ in range(toll.plan.rounds):
        before = len(here.questions)
        await (_wild if rng.random() < toll.plan.wildness else _aimed)(here, rng, toll)
        if not await _judged(here, here.questions[before:], toll):
            return
    if await here.stop() != 0:
        toll.faults.append("it did not end cleanly")


async def _aimed(here: Town, rng: random.Random, toll: Toll) -> None:
    before = len(here.questions)
    aimed, lock = await Marksman(here, rng).take_aim()
    proved = await _kill(here, here.questions[before:], lock, toll)
    toll.aimed.update(one.step for one in aimed)
    toll.on_target.update(one.step for one in aimed if proved.get(one.asked) is one.step)


async def _wild(here: Town, rng: random.Random, toll: Toll) -> None:
    before = len(here.questions)
    lock = await run_wild(here, rng)
    await _kill(here, here.questions[before:], lock, toll)
    if rng.random() < 0.3:  # and once more while it recovers
        here.keeper.slowest = 0.05
        await until_busy(here, len(here.keeper.passages) + rng.randint(1, 80))
        await _kill(here, here.questions[before:], None, toll)


async def _kill(
    here: Town, questions: Sequence[Asked], lock: WriteLock | None, toll: Toll
) -> dict[Asked, Step]:
    """Kill the program, note where its questions stood, and start it again."""
    await here.kill()
    left = scene(here)
    proved = {asked: step for asked in questions if (step := step_of(left, asked)) is not None}
    toll.kills += 1
    toll.hits.update(proved.values())
    for asked in questions:
        asked.flights += was_in_flight(left, asked)
        if lost_promise(left, asked):
            toll.faults.append(f"acknowledged, and not on disk ({asked.marker}, kill {toll.kills})")
    if lock is not None:
        lock.close()
    await here.start()
    # Slack offers again what was not acknowledged, while the program looks for it itself.
    here.side.clock.hurry()
    toll.starts.append(_seconds(here, here.side.clock.now()))
    return proved


async def _judged(here: Town, questions: Sequence[Asked], toll: Toll) -> bool:
    """Wait until all is settled and look for faults; return whether there was none."""
    await verdict.settled(here, questions)
    found = verdict.faults(here, questions)
    toll.faults += [f"{fault}, after kill {toll.kills}" for fault in found]
    rows = here.rows()
    ends = [row.settled_at for one in questions if (row := here.row(rows, one)) is not None]
    last = max((_seconds(here, at) for at in ends if at is not None), default=0.0)
    if last > 0:  # something was left to be done
        toll.recoveries.append(last)
        toll.caught_up.append(max(0.0, last - toll.starts[-1]))
    return not found


def _seconds(here: Town, at: datetime) -> float:
    """Return how long after the start of the living process that was."""
    assert here.born_at is not None
    return (at - here.born_at).total_seconds()
