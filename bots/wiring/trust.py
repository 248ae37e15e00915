"""Whom the installation's own API key serves, by what is set; and what is said of that at a start."""

import structlog

from bots.discord.keys import DIRECT, DISCORD
from bots.settings import ALL_WORKSPACES, Settings
from bots.slack.inbound import SLACK
from core.model import WorkspaceId
from core.services.trusting import Trusted

log = structlog.get_logger(__name__)


def trusted_by(settings: Settings) -> Trusted:
    """Return whom the installation's key serves.

    A Slack bot token is of one workspace, which its operator chose. Discord's bot token says nothing of
    that: without a key by which servers could keep their own, and without any named, all servers are its
    operator's.
    """
    named = settings.trusted
    by_hand = settings.slack is None or settings.slack.oauth is None
    everywhere = named == {ALL_WORKSPACES}
    slack = {SLACK} if by_hand or everywhere else set()
    discord = {DISCORD} if trusts_every_server(settings) or everywhere else set()
    return Trusted(
        platforms=frozenset(slack | discord),
        workspaces=frozenset(map(WorkspaceId, named)),
        organisations=frozenset(one for one in named if one.startswith("E")),
    )


def trusts_every_server(settings: Settings) -> bool:
    """Tell whether all servers of the Discord bot count as its operator's, though none is named."""
    return not settings.secret_keys and not _of_discord(settings) and settings.trusted != {ALL_WORKSPACES}


def tell_whom_we_trust(settings: Settings) -> None:
    """Log what an operator might not expect of who asks under the installation's key."""
    if settings.chat.key is None:
        return
    if settings.trusted == {ALL_WORKSPACES}:
        log.warning(
            "THREADLINE_TRUSTED_WORKSPACES is *: whoever installs the app, or adds the bot to a server, asks "
            "under MICROVISUALIZER_API_KEY, about any of its projects"
        )
        return
    oauth = settings.slack is not None and settings.slack.oauth is not None
    nobody = [SLACK] if oauth and not settings.trusted - _of_discord(settings) else []
    if settings.discord is not None and settings.secret_keys and not _of_discord(settings):
        nobody.append(DISCORD)
    if nobody:
        log.warning(
            "nobody there asks under MICROVISUALIZER_API_KEY: name those that may in "
            "THREADLINE_TRUSTED_WORKSPACES; others set keys of their own with /threadline account",
            platforms=nobody,
        )


def _of_discord(settings: Settings) -> frozenset[str]:
    return frozenset(one for one in settings.trusted if one.isdecimal() or one == DIRECT)
