"""The environment and the .env file → Settings, with all faults at once. Nothing is opened or tried."""

from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path

from dotenv.parser import parse_stream

from bots.settings import parsing, slack
from bots.settings.model import (
    ChatSettings,
    DiscordSettings,
    Fault,
    HttpSettings,
    Need,
    Settings,
    SettingsInvalid,
)
from bots.settings.variables import Reading
from core.services.allowances import Allowances

VARIABLES = (
    "MICROVISUALIZER_API_URL",
    "MICROVISUALIZER_API_KEY",
    "THREADLINE_DATABASE_URL",
    "THREADLINE_DEFAULT_PROJECT",
    "THREADLINE_HTTP_HOST",
    "THREADLINE_HTTP_PORT",
    "THREADLINE_PUBLIC_URL",
    "THREADLINE_HISTORY_CHARACTERS",
    "THREADLINE_DEADLINE_MINUTES",
    "THREADLINE_CONCURRENCY",
    "THREADLINE_QUESTIONS_PER_PERSON",
    "THREADLINE_QUESTIONS_PER_CHANNEL",
    "THREADLINE_QUEUE_LIMIT",
    "THREADLINE_RETENTION_DAYS",
    "THREADLINE_ADMINS",
    "THREADLINE_SECRET_KEY",
    "THREADLINE_TRUSTED_WORKSPACES",
    "THREADLINE_DISCORD_SHARDS",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_CLIENT_ID",
    "SLACK_CLIENT_SECRET",
    "SLACK_API_URL",
    "DISCORD_TOKEN",
    "DISCORD_API_URL",
    "DISCORD_GATEWAY_URL",
    "DISCORD_MESSAGE_CONTENT",
    "HTTPS_PROXY",
)
"""Every variable that is read. An unknown one that begins with THREADLINE_ is taken for a misspelling."""

_OURS = "THREADLINE_"
_OF_TESTS = "THREADLINE_TEST_"  #: is said to tests alone
_PLATFORM_SECRETS = (*slack.SECRETS, "DISCORD_TOKEN")


def load(
    environ: Mapping[str, str], env_file: Path | None = Path(".env"), *, needs: frozenset[Need]
) -> Settings:
    """Return the settings; the environment goes before the file, and an empty value counts as not set.

    What is not in `needs` may be missing, but what is there must be valid. A missing file is no fault.
    Raises SettingsInvalid with all faults at once.
    """
    faults: list[Fault] = []
    filed = {} if env_file is None else _filed(env_file, faults)
    written = _set(filed) | _set(environ)
    faults += _misspelt(written)
    reading = Reading(written, faults)
    settings = _settings(reading, listens=Need.PLATFORM in needs)
    faults += _keyless(needs, written)
    if needs & {Need.PLATFORM, Need.POSTING} and not any(name in written for name in _PLATFORM_SECRETS):
        problem = "is not set, nor is DISCORD_TOKEN, so there is no platform to answer on"
        remedy = f"For Discord: set DISCORD_TOKEN. For Slack: {slack.WAYS[0].lower()}{slack.WAYS[1:]}"
        faults.append(Fault("SLACK_BOT_TOKEN", problem, remedy))
    if faults:
        raise SettingsInvalid(tuple(faults))
    return settings


def _settings(reading: Reading, *, listens: bool) -> Settings:
    return Settings(
        chat=_chat(reading),
        slack=slack.read(reading, listens=listens),
        discord=_discord(reading),
        database_url=reading.take("THREADLINE_DATABASE_URL", parsing.database, "sqlite:///threadline.db"),
        default_project=reading.take("THREADLINE_DEFAULT_PROJECT", parsing.project, None),
        http=HttpSettings(
            reading.take("THREADLINE_HTTP_HOST", parsing.host, "127.0.0.1"),
            reading.take("THREADLINE_HTTP_PORT", parsing.whole(0, 65535), 8080),
        ),
        history_characters=reading.take(
            "THREADLINE_HISTORY_CHARACTERS", parsing.whole(1000, 10_000_000), 60_000
        ),
        deadline=timedelta(minutes=reading.take("THREADLINE_DEADLINE_MINUTES", parsing.whole(1, 1440), 30)),
        concurrency=reading.take("THREADLINE_CONCURRENCY", parsing.whole(1, 1000), 8),
        admins=reading.take("THREADLINE_ADMINS", parsing.ids, frozenset()),
        allowances=_allowances(reading),
        retention=reading.take("THREADLINE_RETENTION_DAYS", _days, None),
        secret_keys=reading.take("THREADLINE_SECRET_KEY", parsing.keys, ()),
        trusted=reading.take("THREADLINE_TRUSTED_WORKSPACES", parsing.workspaces, frozenset()),
    )


def _days(text: str) -> timedelta | None:
    many = parsing.allowance(1, 36_500)(text)
    return None if many is None else timedelta(days=many)


def _allowances(reading: Reading) -> Allowances:
    usual = Allowances()
    hourly = parsing.allowance(1, 100_000)
    return Allowances(
        person=reading.take("THREADLINE_QUESTIONS_PER_PERSON", hourly, usual.person),
        channel=reading.take("THREADLINE_QUESTIONS_PER_CHANNEL", hourly, usual.channel),
        waiting=reading.take("THREADLINE_QUEUE_LIMIT", parsing.allowance(1, 1_000_000), usual.waiting),
    )


def _chat(reading: Reading) -> ChatSettings:
    url = reading.take("MICROVISUALIZER_API_URL", parsing.address, "https://api.microvisualizer.com")
    key = reading.take("MICROVISUALIZER_API_KEY", parsing.secret("an API key"), None)
    return ChatSettings(url, key, reading.proxy(url))


def _keyless(needs: frozenset[Need], written: Mapping[str, str]) -> list[Fault]:
    """Return what is wrong where there is no API key to ask with, nor could workspaces set their own."""
    remedy = "Set it to an API key of your organisation"
    if Need.CHAT in needs and "THREADLINE_SECRET_KEY" not in written:
        remedy += ", or THREADLINE_SECRET_KEY, and each workspace sets its own with `/threadline account`"
    elif Need.KEY not in needs:
        return []
    there = "MICROVISUALIZER_API_KEY" in written
    return [] if there else [Fault("MICROVISUALIZER_API_KEY", "is not set", f"{remedy}.")]


def _discord(reading: Reading) -> DiscordSettings | None:
    token = reading.take("DISCORD_TOKEN", parsing.secret("a bot token"), None)
    api_url = reading.take("DISCORD_API_URL", parsing.address, "https://discord.com/api/v10")
    gateway_url = reading.take("DISCORD_GATEWAY_URL", parsing.gateway, None)
    message_content = reading.take("DISCORD_MESSAGE_CONTENT", parsing.flag, False)
    shards = reading.take("THREADLINE_DISCORD_SHARDS", parsing.whole(1, 10_000), None)
    if token is None:
        return None
    proxy = reading.proxy(api_url)
    return DiscordSettings(token, api_url.rstrip("/"), gateway_url, message_content, proxy, shards)


def _set(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in variables.items() if value.strip()}


def _filed(env_file: Path, faults: list[Fault]) -> dict[str, str]:
    """Return what the file says, taken literally: ${…} in a secret is not an expansion."""
    filed: dict[str, str] = {}
    try:
        with env_file.open(encoding="utf-8-sig") as stream:
            for binding in parse_stream(stream):
                if binding.error:
                    text = binding.original.string
                    line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
                    problem = f"cannot be read at line {line}"
                    faults.append(Fault(str(env_file), problem, "Write NAME=value there."))
                elif binding.key is not None:
                    filed[binding.key] = binding.value or ""
    except FileNotFoundError:
        return filed
    except (OSError, UnicodeDecodeError):
        faults.append(Fault(str(env_file), "cannot be read", "Make it a readable UTF-8 text file."))
    return filed


def _misspelt(written: Mapping[str, str]) -> list[Fault]:
    known = [name for name in VARIABLES if name.startswith(_OURS)]
    ours = [name for name in written if name.upper().startswith(_OURS) and not name.startswith(_OF_TESTS)]
    unknown = sorted(name for name in ours if name not in known)
    return [Fault(name, "is not a setting", _suggestion(name, known)) for name in unknown]


def _suggestion(name: str, known: list[str]) -> str:
    ends = [each.removeprefix(_OURS) for each in known]
    nearest = get_close_matches(name.upper().removeprefix(_OURS), ends, n=1)
    return f"Did you mean {_OURS}{nearest[0]}? Otherwise remove it." if nearest else "Remove it."
