"""The scripted tour: what Threadline does, in scenes. It fails if what it shows is not so."""

from rich.console import Console, Group
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from bots.cli.demo import scenes_both, scenes_discord, scenes_keys, scenes_slack
from bots.cli.demo.seen import Chat
from bots.cli.demo.stage import PATIENCE, Stage
from bots.cli.demo.town import Town
from bots.demo.assistant import Outcome
from core.model import State


async def tour(town: Town, out: Console, *, patience: float = PATIENCE) -> None:
    """Play all scenes. Raises StepFailed at the first thing that does not come true."""
    stage = Stage(town, out, patience=patience)
    started = town.clock.monotonic()
    _welcome(stage)
    stage.view.part(Chat.SLACK)
    for scene in scenes_slack.SCENES:
        await scene(stage)
    stage.view.part(Chat.DISCORD)
    for scene in scenes_discord.SCENES:
        await scene(stage)
    stage.view.part("Both")
    for scene in (*scenes_both.SCENES, *scenes_keys.SCENES):
        await scene(stage)
    await _figures(stage, town.clock.monotonic() - started)


def _welcome(stage: Stage) -> None:
    way = "Socket Mode" if stage.town.by_socket else "signed HTTP"
    stage.view.out.print(
        Panel(
            Group(
                Text("Your MicroVisualizer project's AI assistant, in the threads of your chat."),
                Text(
                    "Everything runs on this machine: a simulated Slack workspace, a simulated Discord "
                    "server and a simulated assistant. Between them works one real Threadline, with a "
                    f"database of its own, connected to Slack over {way}, to Discord by its gateway.",
                    "aside",
                ),
            ),
            title=Text("Threadline", "bot"),
            title_align="left",
            border_style="bright_black",
            padding=(1, 2),
        )
    )


async def _figures(stage: Stage, seconds: float) -> None:
    town, out = stage.town, stage.view.out
    states = (await town.threadline.tally()).by_state
    questions, stopped = sum(states.values()), states.get(State.CANCELLED, 0)
    chats = town.chats()
    told_to_wait = sum(call.outcome is Outcome.RATE_LIMITED for call in chats)
    answers = sum(call.outcome is Outcome.ANSWERED for call in chats)
    slowest = max(
        *(delivery.acked_after or 0.0 for delivery in town.workspace.deliveries),
        *(interaction.acked_after or 0.0 for interaction in town.world.interactions.values()),
    )
    out.print()
    out.print(Rule(style="rule.line"))
    stage.view.fact(
        f"{questions} questions: {answers} answered, {questions - answers - stopped} refused with a reason, "
        f"{stopped} stopped, none lost"
    )
    stage.view.fact(f"{len(chats)} calls of the assistant, {told_to_wait} of them told to wait")
    stage.view.fact(
        f"every event and every command acknowledged within {slowest * 1000:.0f} ms; "
        f"{seconds:.1f} seconds in all"
    )
    out.print()
    stage.view.aside(
        "To write yourself, run this in a terminal: `make demo`. The README tells what comes next."
    )
