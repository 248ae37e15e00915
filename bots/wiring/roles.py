"""What one process of several does: accept over HTTP, listen, work, or all of it."""

from dataclasses import replace
from enum import StrEnum

from bots.settings import Need, Settings
from core.errors import Permanent


class Role(StrEnum):
    """A process's part. Any number of each share one PostgreSQL database."""

    ALL = "all"
    WEB = "web"  #: takes Slack's signed requests
    LISTEN = "listen"  #: holds connections: Slack's Socket Mode, Discord's gateway
    WORK = "work"  #: asks the assistant, and posts

    @property
    def works(self) -> bool:
        """Tell whether it walks deliveries."""
        return self in {Role.ALL, Role.WORK}

    @property
    def connects(self) -> bool:
        """Tell whether it holds connections through which platforms speak to us."""
        return self in {Role.ALL, Role.LISTEN}

    @property
    def needs(self) -> tuple[Need, ...]:
        """Return what has to be set for it."""
        return (Need.CHAT, Need.POSTING if self is Role.WORK else Need.PLATFORM)


class RoleImpossible(Permanent):
    """With these settings there is no such process."""


def fitted(settings: Settings, role: Role, *, shared: bool) -> Settings:
    """Return the settings with those ways only that a process of this role uses.

    Raises RoleImpossible where the database is not `shared`, or nothing is left to do.
    """
    if role is Role.ALL:
        return settings
    if not shared:
        raise RoleImpossible(
            f"--role {role} needs a database that processes share: set THREADLINE_DATABASE_URL to "
            "postgresql://USER@HOST/DATABASE, or run without --role, in one process."
        )
    match role:
        case Role.WEB:
            return _accepting(settings)
        case Role.LISTEN:
            return _connecting(settings)
        case _:
            slack = settings.slack
            posts = None if slack is None else replace(slack, app_token=None, signing_secret=None)
            return replace(settings, slack=posts)


def _accepting(settings: Settings) -> Settings:
    slack = settings.slack
    if slack is None or slack.signing_secret is None:
        raise RoleImpossible(
            "--role web takes Slack's signed requests: set SLACK_SIGNING_SECRET, or run --role listen."
        )
    return replace(settings, slack=replace(slack, app_token=None), discord=None)


def _connecting(settings: Settings) -> Settings:
    slack = settings.slack
    by_socket = slack is not None and slack.app_token is not None
    if not by_socket and settings.discord is None:
        raise RoleImpossible(
            "--role listen holds connections: set SLACK_APP_TOKEN or DISCORD_TOKEN, or run --role web."
        )
    listens = replace(slack, signing_secret=None) if slack is not None and by_socket else None
    return replace(settings, slack=listens)
