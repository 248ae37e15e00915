"""The tour's scene on both platforms at once. It fails if what it shows is not so."""

from datetime import timedelta

from bots import texts
from bots.cli.demo.seen import Chat
from bots.cli.demo.stage import Stage
from bots.cli.demo.town import ANA, BEN, Town
from bots.demo.assistant.faults import rate_limited
from core.model import State

_WAIT = 2  #: seconds the assistant asks for
_QUEUED = texts.STATUS_QUEUED.partition("{")[0]


async def _the_assistant_asks_to_wait(stage: Stage) -> None:
    town = stage.town
    shop, general, before = town.channels["shop"], town.channels["general"], len(town.chats())
    stage.view.scene(
        "10 · A rate limit",
        f"The assistant answers “429 Too Many Requests, Retry-After: {_WAIT}”. That holds for every thread, "
        "on Slack as on Discord: all share one API key.",
    )
    stage.place(shop)
    town.assistant.faults.add(rate_limited(str(_WAIT)))
    first = await stage.ask(ANA, shop, "@threadline what does billing depend on?")
    await stage.status(first, _QUEUED)
    stage.place(general)
    shown = await stage.ask_by_command(BEN, general, "/ask who owns inventory?")
    await stage.comes(Chat.SLACK, "Slack is told that all was received", lambda: _all_received(town))
    tally = await town.threadline.tally()
    waiting = tally.by_state.get(State.ACCEPTED, 0)
    unanswered = not stage.answered(first) and not stage.answered(shown.conversation)
    stage.fact(
        f"{waiting} questions wait on disk, one of each platform, and the key they share is paused",
        waiting == 2 and unanswered and len(tally.paused) == 1,
    )
    stage.place(shop, "  ana's thread")
    await stage.answer(first)
    stage.place(general, "  ben's thread")
    await stage.answer(shown.conversation)
    refused, again = town.chats()[before : before + 2]
    waited = again.started_at - (refused.finished_at or refused.started_at)
    stage.fact(
        f"nobody was asked for {waited.total_seconds():.2f} s, then both questions were answered",
        waited >= timedelta(seconds=_WAIT) and len(town.chats()) == before + 3,
    )


SCENES = (_the_assistant_asks_to_wait,)


def _all_received(town: Town) -> bool:
    """Tell whether everything that was sent to the app has been acknowledged."""
    acknowledged = {delivery.event_id for delivery in town.workspace.deliveries if delivery.acked}
    return acknowledged == town.workspace.events.keys()
