"""The tour's scenes on Slack. Each fails if what it shows is not so."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bots import texts
from bots.cli.demo.stage import Stage
from bots.cli.demo.town import ANA, BEN, SHOP
from bots.demo.assistant.faults import hold
from core.model import Notice, Reason

_MISTYPED = "shop-demo-7f3k1"


async def _a_channel_without_a_project(stage: Stage) -> None:
    shop = stage.town.channels["shop"]
    stage.view.scene(
        "1 · A channel gets its project",
        "Ben asks before anybody has said which project this channel is about. Ana is a workspace admin.",
    )
    stage.place(shop)
    thread = await stage.ask(BEN, shop, "@threadline who consumes order.created?")
    notice = await stage.answer(thread)
    stage.fact("the question is kept until the channel is linked", notice.words == _words(Reason.NOT_LINKED))
    refusal = await stage.command(BEN, shop, f"/threadline link {SHOP}")
    stage.fact("only admins can link a project", refusal == texts.NOT_ALLOWED)
    linked = await stage.command(ANA, shop, f"/threadline link {SHOP}")
    stage.fact("the channel is linked", SHOP in linked)
    stage.place(shop, "  ben's thread, by itself")
    answer = await stage.answer(thread, 2)
    stage.fact("the waiting question was answered without being asked again", "billing" in answer.words)


async def _a_question_and_a_follow_up(stage: Stage) -> None:
    town, shop = stage.town, stage.town.channels["shop"]
    stage.view.scene(
        "2 · Ask, and go on in the thread",
        "A mention starts a conversation. In its thread nobody has to mention anybody.",
    )
    stage.place(shop)
    before = len(town.chats())
    held = hold()
    town.assistant.faults.add(held)
    thread = await stage.ask(ANA, shop, "@threadline what breaks if nobody publishes order.created?")
    await stage.status(thread, texts.STATUS_WORKING)
    held.release()
    answer = await stage.answer(thread)
    stage.fact("the answer came in the thread, with its table", "| Service |" in answer.words)
    await stage.ask(BEN, thread, "and who publishes it?")
    answer = await stage.answer(thread, 2)
    stage.fact("the follow-up was understood: “it” is order.created", "order-service" in answer.words)
    sent = town.chats()[before + 1].messages
    stage.view.panel("what the assistant was sent for the follow-up", _turns(sent))
    roles = [role for role, _ in sent]
    stage.fact("the assistant saw the whole thread, in order", roles == ["user", "assistant", "user"])


async def _two_threads_at_once(stage: Stage) -> None:
    town, shop = stage.town, stage.town.channels["shop"]
    before = len(town.assistant.journal)
    stage.view.scene(
        "3 · Two threads at once",
        "The assistant takes long over Ana's question. Ben's thread does not wait for hers.",
    )
    stage.place(shop)
    long = hold()
    town.assistant.faults.add(long)
    first = await stage.ask(ANA, shop, "@threadline what does shipping depend on?")
    await stage.calls(before + 1)
    await stage.status(first, texts.STATUS_WORKING)
    second = await stage.ask(BEN, shop, "@threadline who owns billing?")
    await stage.answer(second)
    stage.fact("Ben was answered while Ana's question was with the assistant", not stage.answered(first))
    stage.place(shop, "  ana's thread, a little later")
    long.release()
    answer = await stage.answer(first)
    stage.fact("each answer came in the thread of its question", "**shipping** depends" in answer.words)


async def _plain_refusals(stage: Stage) -> None:
    town, channels = stage.town, stage.town.channels
    lab, partners, before = channels["lab"], channels["partners"], len(town.chats())
    stage.view.scene(
        "4 · No answer? It says why",
        "And who can help. One channel is shared with another organisation, one linked with a typing error.",
    )
    stage.place(partners, "  shared with another organisation")
    shared = await stage.ask(BEN, partners, "@threadline who consumes order.created?")
    refusal = await stage.answer(shared)
    stage.fact("what the assistant knows stays in the house", refusal.words == _words(Reason.EXTERNAL))
    stage.place(lab)
    await stage.command(ANA, lab, f"/threadline link {_MISTYPED}")
    unknown = await stage.ask(ANA, lab, "@threadline who owns billing?")
    notice = await stage.answer(unknown)
    stage.fact("a project that does not exist is named", _MISTYPED in notice.words)
    stage.fact("of the two, only this one went to the assistant", len(town.chats()) == before + 1)
    said = await stage.command(BEN, lab, "/threadline status")
    stage.fact("everybody may ask which project answers where", _MISTYPED in said)


async def _an_edited_question(stage: Stage) -> None:
    town, shop = stage.town, stage.town.channels["shop"]
    stage.view.scene(
        "5 · Other words, afterwards",
        "Ben edits his question. Had it still waited, it would be asked as it is now; but it is answered.",
    )
    stage.place(shop)
    thread = await stage.ask(BEN, shop, "@threadline who owns billing?")
    answer = await stage.answer(thread)
    before = len(town.chats())
    marked = await stage.edit(BEN, thread, "@threadline who owns inventory?")
    says_so = marked.id == answer.id and marked.words.startswith(answer.words)
    stage.fact(
        "the same answer says that it is to the earlier text", says_so and "earlier text" in marked.words
    )
    stage.fact("and the assistant was not asked again", len(town.chats()) == before)


SCENES = (
    _a_channel_without_a_project,
    _a_question_and_a_follow_up,
    _two_threads_at_once,
    _plain_refusals,
    _an_edited_question,
)


def _words(reason: Reason) -> str:
    return texts.notice(Notice(reason), "")


def _turns(messages: Sequence[tuple[str, str]]) -> Table:
    """Draw a conversation as the assistant gets it, long turns cut."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="aside", no_wrap=True)
    table.add_column(overflow="fold")
    for role, content in messages:
        first, *more = content.splitlines()
        table.add_row(role, Text(f"{first} …" if more else first))
    return table
