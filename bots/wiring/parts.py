"""Single things made from Settings: store, clients, accesses. Put together they are in the package itself."""

import secrets
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine
from starlette.routing import Route

from bots.discord.keys import DISCORD
from bots.discord.side import Access as DiscordAccess
from bots.settings import ChatSettings, DiscordSettings, Settings, SlackSettings
from bots.slack.access import Access as SlackAccess
from bots.slack.inbound import SLACK
from bots.slack.install import INSTALL, OAuth
from bots.wiring.trust import trusted_by
from core.clock import Clock, SystemClock
from core.errors import StoreUnusable
from core.model import DeliveryId
from core.ports import Transact
from core.project_api import HttpCatalogue, HttpChatApi, Keyring, lane_of
from core.services.asking import AskingRules
from core.services.installing import Installing
from core.services.linking import Linking
from core.services.offered import Services, Workers
from core.services.resealing import Resealing
from core.services.reviewing import Reviewing
from core.store import PooledStore, Store, connect, described, is_shared, migrate, open_store, take_time
from core.store.secrets import Cipher


@asynccontextmanager
async def opened_store(
    settings: Settings, *, must_exist: bool = False
) -> AsyncIterator[tuple[Engine, Store | PooledStore]]:
    """Connect, bring the schema up to date, and give the store.

    Raises StoreUnusable; where a database `must_exist` also if there is none: it would be made anew.
    """
    engine = connect(settings.database_url)
    try:
        if must_exist:
            see_that_it_exists(engine)
        migrate(engine, must_exist=must_exist)
        store = open_store(engine)
        try:
            yield engine, store
        finally:
            await store.aclose()
    finally:
        engine.dispose()


def clock_over(engine: Engine) -> SystemClock:
    """Return the clock for a single command: the database server's, where processes share one."""
    clock = SystemClock()
    if is_shared(engine):
        take_time(engine, clock)
    return clock


def names_shared(settings: Settings) -> bool:
    """Tell whether the settings name a database that processes share."""
    return is_shared(connect(settings.database_url))


def see_that_it_exists(engine: Engine) -> None:
    """Raise StoreUnusable where there is no file, which connecting would make, and empty."""
    if is_shared(engine) or Path(described(engine)).exists():
        return
    raise StoreUnusable(
        f"there is no database at {described(engine)}. Run this in the folder in which Threadline runs, "
        "or set THREADLINE_DATABASE_URL to the file's absolute path: sqlite:////FOLDER/FILE."
    )


@asynccontextmanager
async def keyring_over(settings: Settings, clock: Clock) -> AsyncIterator[Keyring]:
    """Give the way to the assistants and their projects, under every API key. Raises EndpointMisplaced."""
    chat = settings.chat

    def chats(key: str) -> HttpChatApi:
        limit = settings.concurrency
        return HttpChatApi(base_url=chat.url, api_key=key, concurrency=limit, clock=clock, proxy=chat.proxy)

    def catalogues(key: str) -> HttpCatalogue:
        return HttpCatalogue(base_url=chat.url, api_key=key, clock=clock, proxy=chat.proxy)

    own = own_key(chat)
    await chats(own or "none").aclose()  # so that what is wrong with the address is told at once
    keyring = Keyring(own, cipher_of(settings), chats, catalogues, clock)
    try:
        yield keyring
    finally:
        await keyring.aclose()


def own_key(chat: ChatSettings) -> str | None:
    """Return the installation's API key, if it has one."""
    return None if chat.key is None else chat.key.get_secret_value()


def slack_access(slack: SlackSettings) -> SlackAccess:
    """Return what the Slack adapter needs of the settings."""
    oauth = slack.oauth
    return SlackAccess(
        bot_token=_plain(slack.bot_token),
        app_token=_plain(slack.app_token),
        signing_secret=_plain(slack.signing_secret),
        api_url=slack.api_url,
        proxy=slack.proxy,
        oauth=None
        if oauth is None
        else OAuth(oauth.client_id, oauth.client_secret.get_secret_value(), oauth.public_url),
    )


def install_address(settings: Settings, routes: Collection[Route]) -> Mapping[str, str]:
    """Return where admins begin to install the Slack app, to be told, if that is among what we serve."""
    oauth = None if settings.slack is None else settings.slack.oauth
    if oauth is None or all(route.path != INSTALL for route in routes):
        return {}
    return {"install_at": oauth.public_url.rstrip("/") + INSTALL}


def resealing_over(settings: Settings, store: Transact) -> Resealing:
    """Return the service that looks after what is sealed."""
    return Resealing(store, cipher_of(settings), (SLACK, DISCORD))


def cipher_of(settings: Settings) -> Cipher | None:
    """Return what seals, if there is a key for it."""
    keys = [key.get_secret_value() for key in settings.secret_keys]
    return Cipher(keys) if keys else None


def installing_over(settings: Settings, store: Transact, clock: Clock) -> Installing | None:
    """Return the service for workspaces that install the Slack app; None where it is one workspace's own."""
    if settings.slack is None or settings.slack.oauth is None:
        return None
    cipher = Cipher([key.get_secret_value() for key in settings.secret_keys])
    return Installing(store, cipher, clock, SLACK)


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def discord_access(
    discord: DiscordSettings, *, listens: bool = True, alone: bool = True, private: bool = False
) -> DiscordAccess:
    """Return what the Discord adapter needs of the settings."""
    return DiscordAccess(
        token=discord.token.get_secret_value(),
        api_url=discord.api_url,
        gateway_url=discord.gateway_url,
        message_content=discord.message_content,
        proxy=discord.proxy,
        listens=listens,
        alone=alone,
        shards=discord.shards,
        private=private,
    )


def linking_over(settings: Settings, store: Transact, clock: Clock, wake: Callable[[], None]) -> Linking:
    """Return the linking service, for a single command."""
    return Linking(store, clock, asking_rules(settings).own, wake=wake)


def reviewing_over(settings: Settings, store: Transact, clock: Clock) -> Reviewing:
    """Return the service for what only a human moves, for a single command."""
    return Reviewing(store, clock, asking_rules(settings).own, wake=lambda: None)


def services_over(
    settings: Settings,
    store: Transact,
    clock: Clock,
    workers: Workers,
    keys: Keyring,
) -> Services:
    """Return what adapters call, for the running program; `workers` hear of what has fallen due, or ended."""
    rules = asking_rules(settings)
    return Services.over(store, clock, rules, workers, new_id=new_delivery_id, keys=keys)


def asking_rules(settings: Settings) -> AskingRules:
    """Return by what rules questions are accepted. Of an API key only its fingerprint is in them."""
    return AskingRules(
        lane=lane_of(own_key(settings.chat)),
        default_project=settings.default_project,
        budget=settings.history_characters,
        allowances=settings.allowances,
        trusted=trusted_by(settings),
    )


def new_delivery_id(now: datetime) -> DeliveryId:
    """Return a fresh id of 20 hexadecimal digits that sorts by time: milliseconds, then chance."""
    return DeliveryId(f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(4)}")
