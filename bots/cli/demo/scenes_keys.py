"""The tour's last scenes: a key of a workspace's own, and a wait cut short. Each fails if it is not so."""

from bots import texts
from bots.cli.demo.stage import Stage
from bots.cli.demo.town import ANA, BEN, OWN_KEY
from bots.demo.assistant import ReceivedCall
from bots.demo.assistant.faults import rate_limited
from core.model import SETTLED

_WRONG = "mistyped-key-0000"
_LONG = 600  #: seconds the assistant asks for


async def _a_key_of_its_own(stage: Stage) -> None:
    shop = stage.town.channels["shop"]
    stage.view.scene(
        "11 · An API key of its own",
        "By /threadline account the workspace leaves the key that it shared for its own organisation's.",
    )
    stage.place(shop)
    refused = await stage.set_key(ANA, shop, _WRONG)
    stage.fact("a key that MicroVisualizer does not accept changes nothing", "Nothing was changed" in refused)
    said = await stage.set_key(ANA, shop, OWN_KEY)
    ending = OWN_KEY[-4:]
    stage.fact("the key was checked; only its end is ever shown", ending in said and OWN_KEY not in said)
    await stage.answer(await stage.ask(BEN, shop, "@threadline who owns payments?"))
    stage.fact("the question went under the workspace's own key", _last(stage).key == OWN_KEY)


async def _a_wait_that_is_stopped(stage: Stage) -> None:
    town, before = stage.town, len(stage.town.chats())
    shop, general = town.channels["shop"], town.channels["general"]
    stage.view.scene(
        "12 · Too long a wait",
        f"Slack's new key has to wait {_LONG // 60} minutes. Discord goes on under the other one.",
    )
    stage.place(shop)
    town.assistant.faults.add(rate_limited(str(_LONG)))
    thread = await stage.ask(ANA, shop, "@threadline list all topics")
    waiting = await stage.answer(thread)
    stage.fact("Ana is told until when, and may stop it", waiting.buttons == (texts.STOP_BUTTON,))
    stage.place(general)
    shown = await stage.ask_by_command(BEN, general, "/ask who owns shipping?")
    await stage.answer(shown.conversation)
    stage.fact("Discord does not wait", _last(stage).key not in {None, OWN_KEY})
    stage.place(shop, "  ana's thread")
    stopped = await stage.press(ANA, waiting, texts.STOP_BUTTON)
    stage.fact("her question will not be asked any more", stopped.words == texts.stopped(1))
    tally = await town.threadline.tally()
    asked_once = len(town.chats()) == before + 2
    stage.fact("nothing waits, and nobody was asked again", tally.by_state.keys() <= SETTLED and asked_once)


SCENES = (_a_key_of_its_own, _a_wait_that_is_stopped)


def _last(stage: Stage) -> ReceivedCall:
    """Return the last question that the assistant received."""
    return stage.town.chats()[-1]
