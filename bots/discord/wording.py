"""What notices say on Discord, and what stands before a message outside its thread. It sends nothing."""

from dataclasses import replace

from bots import texts
from bots.discord.keys import DIRECT
from bots.discord.messages import Said
from bots.discord.opening import Place
from core.model import Address, Notice, Reason


def notice_said(to: Address, notice: Notice) -> Said:
    """Return a notice as it is shown to a question's asker."""
    if notice.reason is Reason.NOT_LINKED and to.thread.workspace == DIRECT:
        return Said(texts.DIRECT_NOT_LINKED)
    if notice.reason is Reason.NO_KEY and to.thread.workspace == DIRECT:
        return Said(texts.DIRECT_NO_KEY)
    if notice.reason is Reason.POST_REFUSED:
        return Said(texts.GUILD_POST_REFUSED.format(channel=f"<#{to.thread.channel}>"))
    return Said(texts.notice(notice, to.delivery, admin=texts.GUILD_ADMIN))


def outside(to: Address, place: Place, said: Said, *, pings: bool) -> Said:
    """Have a message outside its thread name its asker, and say why it is there."""
    if to.thread.workspace == DIRECT:
        return said
    trouble = f"\n-# {place.trouble}\n" if place.trouble else " "
    names = (int(to.author),) if pings else ()
    return replace(said, words=f"<@{to.author}>{trouble}{said.words}", names=names)
