"""The tour's scenes on Discord. Each fails if what it shows is not so."""

from bots import texts
from bots.cli.demo.stage import Stage
from bots.cli.demo.town import ANA, BEN, SHOP, Town

_TYPED = "sho"


async def _a_project_chosen(stage: Stage) -> None:
    town, general = stage.town, stage.town.channels["general"]
    stage.view.scene(
        "6 · The project, chosen from a list",
        "Ana may manage the server. She need not know the id: as she types, Discord offers what fits.",
    )
    stage.place(general)
    ana = _id(town, ANA)
    choices = await town.world.complete(ana, general.channel, "threadline link", "project", _TYPED)
    stage.view.command(ANA, f"/threadline link {_TYPED}▏ {' · '.join(one['name'] for one in choices)}")
    offered = [one["value"] for one in choices]
    stage.fact("of all projects, the one that fits is offered, by name and id", offered == [SHOP])
    refusal = await stage.command(BEN, general, f"/threadline link {_TYPED}")
    stage.fact("only those who may manage the server can link", refusal == texts.GUILD_NOT_ALLOWED)
    linked = await stage.command(ANA, general, f"/threadline link {_TYPED}")
    stage.fact("the channel is linked", SHOP in linked)


async def _asked_by_command(stage: Stage) -> None:
    town, general = stage.town, stage.town.channels["general"]
    stage.view.scene(
        "7 · /ask, and the follow-up button",
        "All see what Ana asks; the answer comes in a thread of its own. Discord shows no tables: see below.",
    )
    stage.place(general)
    before = len(town.chats())
    question = "what breaks if catalog-service is down?"
    shown = await stage.ask_by_command(ANA, general, f"/ask {question}")
    asked = texts.asked(int(_id(town, ANA)), question)
    stage.fact("everybody sees the question, and who asked it", shown.words == asked)
    thread = shown.conversation
    answer = await stage.answer(thread)
    named = town.world.channels[thread.thread].name
    stage.fact(f"the thread has the question's name: {named}", named in shown.words)
    lined_up = "Service       Steps away" in answer.words and "| Service |" not in answer.words
    stage.fact("the answer's table is lined up, so that Discord can show it", lined_up)
    await stage.ask_by_button(BEN, thread, "and who owns it?")
    answer = await stage.answer(thread, 3)
    stage.fact("“it” was understood: catalog-service", "**catalog-service** is owned" in answer.words)
    roles = [role for role, _ in town.chats()[before + 1].messages]
    stage.fact("the assistant saw the whole thread, in order", roles == ["user", "assistant", "user"])


async def _asked_by_mention(stage: Stage) -> None:
    town, general = stage.town, stage.town.channels["general"]
    stage.view.scene(
        "8 · A mention does as well",
        "Without the privileged intent for messages, Threadline reads only what mentions it.",
    )
    stage.place(general)
    thread = await stage.ask(BEN, general, "@threadline show me an example of order.created")
    answer = await stage.answer(thread)
    opened = town.world.channels[thread.thread].parent == general.channel
    right = '"orderId": "o-1042"' in answer.words
    stage.fact("the answer came in a thread on Ben's message", opened and right)
    pinged = [ping for ping in town.world.pings if ping.message == answer.id]
    stage.fact("and nobody's phone buzzed for it", not pinged)


async def _asked_in_private(stage: Stage) -> None:
    town, general = stage.town, stage.town.channels["general"]
    stage.view.scene("9 · A question that only Ben sees", "Its answer, too, is for him alone.")
    stage.place(general)
    said, threads = stage.answered(general), len(town.world.threads(general.channel))
    answer = await stage.command(BEN, general, "/ask who owns fraud-check? private:true")
    stage.fact("Ben has his answer", "*Payments*" in answer)
    unseen = stage.answered(general) == said and len(town.world.threads(general.channel)) == threads
    stage.fact("nobody else sees anything: no message, no thread", unseen)


SCENES = (_a_project_chosen, _asked_by_command, _asked_by_mention, _asked_in_private)


def _id(town: Town, who: str) -> str:
    """Return the id by which Discord knows somebody."""
    return next(user.id for user in town.world.users.values() if user.name == who)
