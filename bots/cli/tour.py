"""The scripted tour: what Threadline does, in six scenes. Each scene fails if what it shows is not so."""

from collections.abc import Sequence
from datetime import timedelta

from rich.console import Console, Group
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bots import texts
from bots.cli.demo_stage import Stage
from bots.cli.demo_town import SHOP, Town
from bots.demo.assistant import Outcome
from bots.demo.assistant.faults import hold, rate_limited
from core.model import Notice, Reason, State

_MISTYPED = "shop-demo-7f3k1"
_WAIT = 3  #: seconds the assistant asks for in the scene about rate limits
_QUEUED = texts.STATUS_QUEUED.partition("{")[0]


async def tour(town: Town, out: Console, *, patience: float = 10.0) -> None:
    """Play all scenes. Raises StepFailed at the first thing that does not come true."""
    stage = Stage(town, out, patience=patience)
    started = town.workspace.clock.monotonic()
    _welcome(stage)
    await _a_channel_without_a_project(stage)
    await _a_question_and_a_follow_up(stage)
    await _two_threads_at_once(stage)
    await _the_assistant_asks_to_wait(stage)
    await _plain_refusals(stage)
    await _who_answers_here(stage)
    await _figures(stage, town.workspace.clock.monotonic() - started)


def _welcome(stage: Stage) -> None:
    way = "Socket Mode" if stage.town.by_socket else "signed HTTP"
    stage.view.out.print(
        Panel(
            Group(
                Text("Your MicroVisualizer project's AI assistant, in the threads of your chat."),
                Text(
                    "Everything runs on this machine: a simulated Slack workspace and a simulated assistant. "
                    f"Between them works the real Threadline, over {way}, with a database of its own.",
                    "aside",
                ),
            ),
            title=Text("Threadline", "bot"),
            title_align="left",
            border_style="bright_black",
            padding=(1, 2),
        )
    )


async def _a_channel_without_a_project(stage: Stage) -> None:
    ana, ben, shop = stage.town.ana, stage.town.ben, stage.town.shop
    stage.view.scene(
        "1 · A channel gets its project",
        "Ben asks before anybody has said which project this channel is about. Ana is a workspace admin.",
    )
    stage.view.place(shop)
    thread = await stage.ask(ben, shop, "who consumes order.created?")
    notice = await stage.answer(shop, thread)
    stage.fact("the question is kept until the channel is linked", notice == _words(Reason.NOT_LINKED))
    refusal = await stage.command(ben, shop, f"link {SHOP}")
    stage.fact("only admins can link a project", refusal == texts.NOT_ALLOWED)
    linked = await stage.command(ana, shop, f"link {SHOP}")
    stage.fact("the channel is linked", SHOP in linked)
    stage.view.place(shop, "  ben's thread, by itself")
    answer = await stage.answer(shop, thread, 2)
    stage.fact("the waiting question was answered without being asked again", "billing" in answer)


async def _a_question_and_a_follow_up(stage: Stage) -> None:
    town = stage.town
    stage.view.scene(
        "2 · Ask in the channel, go on in the thread",
        "A mention starts a conversation. In its thread nobody has to mention anybody.",
    )
    stage.view.place(town.shop)
    before = len(town.assistant.journal)
    held = hold()
    town.assistant.faults.add(held)
    thread = await stage.ask(town.ana, town.shop, "what breaks if nobody publishes order.created?")
    await stage.status(town.shop, thread, texts.STATUS_WORKING)
    held.release()
    answer = await stage.answer(town.shop, thread)
    stage.fact("the answer came in the thread, with its table", "| Service |" in answer)
    await stage.ask(town.ben, town.shop, "and who publishes it?", thread=thread)
    answer = await stage.answer(town.shop, thread, 2)
    stage.fact("the follow-up was understood: “it” is order.created", "order-service" in answer)
    sent = town.assistant.journal[before + 1].messages
    stage.view.panel("what the assistant was sent for the follow-up", _turns(sent))
    roles = [role for role, _ in sent]
    stage.fact("the assistant saw the whole thread, in order", roles == ["user", "assistant", "user"])


async def _two_threads_at_once(stage: Stage) -> None:
    town = stage.town
    shop, before = town.shop, len(town.assistant.journal)
    stage.view.scene(
        "3 · Two threads at once",
        "The assistant takes long over Ana's question. Ben's thread does not wait for hers.",
    )
    stage.view.place(shop)
    long = hold()
    town.assistant.faults.add(long)
    first = await stage.ask(town.ana, shop, "what does shipping depend on?")
    await stage.calls(before + 1)
    await stage.status(shop, first, texts.STATUS_WORKING)
    second = await stage.ask(town.ben, shop, "who owns billing?")
    await stage.answer(shop, second)
    stage.fact(
        "Ben was answered while Ana's question was with the assistant", not stage.answered(shop, first)
    )
    stage.view.place(shop, "  ana's thread, a little later")
    long.release()
    answer = await stage.answer(shop, first)
    stage.fact("each answer came in the thread of its question", "**shipping** depends" in answer)


async def _the_assistant_asks_to_wait(stage: Stage) -> None:
    town = stage.town
    shop, journal = town.shop, town.assistant.journal
    before = len(journal)
    stage.view.scene(
        "4 · A rate limit",
        f"The assistant answers “429 Too Many Requests, Retry-After: {_WAIT}”. That holds for every thread: "
        "all share one API key.",
    )
    stage.view.place(shop)
    town.assistant.faults.add(rate_limited(str(_WAIT)))
    first = await stage.ask(town.ana, shop, "show me an example of order.created")
    await stage.status(shop, first, _QUEUED)
    second = await stage.ask(town.ben, shop, "who owns inventory?")
    await stage.comes("Slack is told that the question was received", lambda: _all_received(town))
    tally = await town.threadline.tally()
    waiting = tally.by_state.get(State.ACCEPTED, 0)
    stage.fact(
        f"{waiting} questions wait on disk, and the key is paused", waiting == 2 and bool(tally.paused)
    )
    await stage.answer(shop, first)
    stage.view.place(shop, "  ben's thread")
    await stage.answer(shop, second)
    refused, again = journal[before : before + 2]
    waited = again.started_at - (refused.finished_at or refused.started_at)
    stage.fact(
        f"nobody was asked for {waited.total_seconds():.2f} s, then both questions were answered",
        waited >= timedelta(seconds=_WAIT) and len(journal) == before + 3,
    )


async def _plain_refusals(stage: Stage) -> None:
    town = stage.town
    lab, partners, before = town.lab, town.partners, len(town.assistant.journal)
    stage.view.scene(
        "5 · When it cannot answer, it says why, and who can help",
        "One channel is shared with another organisation, the other was linked with a typing error.",
    )
    stage.view.place(partners, "  shared with another organisation")
    shared = await stage.ask(town.ben, partners, "who consumes order.created?")
    refusal = await stage.answer(partners, shared)
    stage.fact("what the assistant knows stays in the house", refusal == _words(Reason.EXTERNAL))
    stage.view.place(lab)
    await stage.command(town.ana, lab, f"link {_MISTYPED}")
    unknown = await stage.ask(town.ana, lab, "who owns billing?")
    notice = await stage.answer(lab, unknown)
    stage.fact("a project that does not exist is named", _MISTYPED in notice)
    stage.fact("of the two, only this one went to the assistant", len(town.assistant.journal) == before + 1)


async def _who_answers_here(stage: Stage) -> None:
    town = stage.town
    stage.view.scene("6 · Which project answers here?", "Everybody may ask.")
    stage.view.place(town.shop)
    said = await stage.command(town.ben, town.shop, "status")
    stage.fact("the channel names its project", SHOP in said)


async def _figures(stage: Stage, seconds: float) -> None:
    town, out = stage.town, stage.view.out
    settled = (await town.threadline.tally()).by_state
    journal = town.assistant.journal
    told_to_wait = sum(call.outcome is Outcome.RATE_LIMITED for call in journal)
    slowest = max(delivery.acked_after or 0.0 for delivery in town.workspace.deliveries)
    answers = sum(call.outcome is Outcome.ANSWERED for call in journal)
    questions = sum(settled.values())
    out.print()
    out.print(Rule(style="rule.line"))
    stage.view.fact(
        f"{questions} questions: {answers} answered, {questions - answers} refused with a reason, none lost"
    )
    stage.view.fact(f"{len(journal)} calls of the assistant, {told_to_wait} of them told to wait")
    stage.view.fact(f"every event acknowledged within {slowest * 1000:.0f} ms; {seconds:.1f} seconds in all")
    out.print()
    stage.view.aside(
        "To write yourself, run this in a terminal: `make demo`. The README tells what comes next."
    )


def _words(reason: Reason) -> str:
    return texts.notice(Notice(reason), "")


def _all_received(town: Town) -> bool:
    """Tell whether everything that was sent to the app has been acknowledged."""
    acknowledged = {delivery.event_id for delivery in town.workspace.deliveries if delivery.acked}
    return acknowledged == town.workspace.events.keys()


def _turns(messages: Sequence[tuple[str, str]]) -> Table:
    """Draw a conversation as the assistant gets it, long turns cut."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="aside", no_wrap=True)
    table.add_column(overflow="fold")
    for role, content in messages:
        first, *more = content.splitlines()
        table.add_row(role, Text(f"{first} …" if more else first))
    return table
