"""What every command begins with: settings, logs, and faults said plainly. Exit codes are stable.

0: done. 1: it did not work this time. 2: something has to be set right first.
"""

import asyncio
import os
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import typer
import uvloop

from bots.settings import Need, Settings, SettingsInvalid, load
from bots.telemetry import configure
from core.errors import Permanent, ThreadlineError

T = TypeVar("T")

FAILED = 1
TO_BE_SET_RIGHT = 2


def settings(*needs: Need) -> Settings:
    """Read the settings, once, and set up the logs, or end with all faults at once."""
    try:
        found = load(os.environ, needs=frozenset(needs))
    except SettingsInvalid as error:
        fail(str(error), TO_BE_SET_RIGHT)
    keep_from_bolt()
    configure(json=not sys.stderr.isatty(), stream=sys.stderr, secrets=_secrets(found))
    return found


def keep_from_bolt() -> None:
    """Take Slack's settings out of the environment: Bolt reads some by itself, and warns of it."""
    for name in [one for one in os.environ if one.startswith("SLACK_")]:
        del os.environ[name]


@contextmanager
def plainly() -> Iterator[None]:
    """End with one sentence, not a stack trace, where something of ours goes wrong."""
    try:
        yield
    except Permanent as error:
        fail(str(error), TO_BE_SET_RIGHT)
    except ThreadlineError as error:
        fail(str(error), FAILED)


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end, on the quicker event loop."""
    with plainly(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def fail(sentence: str, code: int) -> NoReturn:
    """Say what is wrong on standard error, and exit."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def _secrets(found: Settings) -> list[str]:
    chat, slack, discord = found.chat, found.slack, found.discord
    held = [chat.key]
    if slack is not None:
        held += [slack.bot_token, slack.app_token, slack.signing_secret]
        held += [] if slack.oauth is None else [slack.oauth.client_secret]
    if discord is not None:
        held.append(discord.token)
    parties = (chat, slack, discord)
    proxies = {party.proxy for party in parties if party is not None and party.proxy is not None}
    passwords = [password for proxy in proxies if (password := urlsplit(proxy).password)]
    held += found.secret_keys
    return [secret.get_secret_value() for secret in held if secret is not None] + passwords
