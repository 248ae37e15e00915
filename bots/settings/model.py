"""What can be set from outside, as frozen values; and what can be wrong with it."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto

from pydantic import SecretStr

from core.model import ProjectId
from core.services.allowances import Allowances


class Need(Enum):
    """What a command cannot do without."""

    CHAT = auto()  #: an API key, or the means to keep those of workspaces
    KEY = auto()  #: an API key of our own
    PLATFORM = auto()  #: and a way for it to reach us
    POSTING = auto()  #: a platform to post to


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Where the assistant answers, the key it knows us by, and the proxy on the way there, if any.

    Without a key only workspaces with one of their own are answered.
    """

    url: str
    key: SecretStr | None
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where we listen; port 0 takes any free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """What Slack knows an app by that any workspace can install, and where browsers reach us for that."""

    client_id: str
    client_secret: SecretStr
    public_url: str


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """Socket Mode has an `app_token`, HTTP a `signing_secret`; one is there. `api_url` ends with /.

    One workspace's app has a `bot_token`, one for many has `oauth`.
    """

    bot_token: SecretStr | None
    app_token: SecretStr | None
    signing_secret: SecretStr | None
    api_url: str
    proxy: str | None = None
    oauth: OAuthSettings | None = None


@dataclass(frozen=True, slots=True)
class DiscordSettings:
    """`api_url` ends without /. `gateway_url` is None where Discord's own is meant.

    `message_content`: the app has the privileged intent, so it may read what does not mention it.
    """

    token: SecretStr
    api_url: str
    gateway_url: str | None
    message_content: bool
    proxy: str | None = None
    shards: int | None = None  #: as many as Discord recommends


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set from outside; None are the platforms whose secrets are not set.

    `retention`: how long after its last question a conversation is kept; None: for ever.
    """

    chat: ChatSettings
    slack: SlackSettings | None
    discord: DiscordSettings | None
    database_url: str = field(repr=False)  #: with a password, perhaps
    default_project: ProjectId | None
    http: HttpSettings
    history_characters: int
    deadline: timedelta
    concurrency: int
    admins: frozenset[str]
    allowances: Allowances = field(default_factory=Allowances)
    retention: timedelta | None = None
    secret_keys: tuple[SecretStr, ...] = ()
    """What seals what must not be read in the database, newest first; empty where nothing is to be sealed."""
    trusted: frozenset[str] = frozenset()
    """Ids of workspaces, and organisations, that ask under our own API key; `*` alone: whoever comes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with `variable` (or a file), and the sentence that mends it."""

    variable: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.variable} {self.problem}. {self.remedy}"


class SettingsInvalid(Exception):
    """The settings cannot be used. No value is ever repeated in the message: it may be a secret."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(["The settings cannot be used:", *(f"  - {fault}" for fault in self.faults)])
