"""Log lines, ours and the libraries', in one form and without secrets; no line is written here."""

import logging
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from json import dumps
from typing import TextIO
from urllib.parse import quote

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

SECRET = "[secret]"  # noqa: S105 what stands in a secret's place

# Slack's tokens (docs.slack.dev/authentication/tokens), HTTP credentials, the ticket in Socket Mode's URLs.
# Discord's bot tokens: the bot's id in Base64, which begins with M, N or O, a time, and a signature
# (docs.discord.com/developers/reference, Authentication); an interaction's, in the URLs of its replies.
_TOKENS = (
    r"xox[a-z](?:\.xox[a-z])?-[\w-]+",
    r"xapp-[\w-]+",
    r"(?i:\bbearer\s+[^\s\"',;()\[\]{}]+)",
    r"(?<=ticket=)[^&\s\"']+",
    r"(?i:\bauthorization[\"']{0,2}\s*[:=,]\s*[\"']?bot\s+[^\s\"',;()\[\]{}]+)",
    r"\bBot\s+(?:[\w-]+\.[\w-]+\.[\w-]+|[\w.-]{20,})",  # the word alone is everyday speech
    r"(?<![\w-])[MNO][\w-]{22,27}\.[\w-]{6,7}\.[\w-]{27,}",
    r"(?<=/webhooks/)[0-9]+/[^/\s?#\"'<>]+",
    r"(?<=/interactions/)[0-9]+/[^/\s?#\"'<>]+",
)
# No token is written in these characters alone, and so short: most of what is logged is.
_HARMLESS = re.compile(r"[\w.:]{0,40}")
_OURS = ("bots", "core")
# Below these a library logs whole events, or statements with their values: message text and tokens.
_FLOORS = {
    "discord": logging.INFO,
    "slack_bolt": logging.INFO,
    "slack_sdk": logging.INFO,
    "sqlalchemy": logging.WARNING,
}
_DEEPEST = 8


def configure(
    *, json: bool, level: str = "INFO", stream: TextIO, secrets: Collection[str] = ()
) -> Callable[[], None]:
    """Send every log line to `stream`, as JSON or readable; return what undoes it.

    `level` is a name of `logging`'s. Libraries log from WARNING on, at "DEBUG" everything but what
    holds message text. `secrets` are blotted out wherever they occur. Configuring again replaces the
    former configuration; undoing (the latest first) brings it back. Raises KeyError for an unknown level.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    undo = _undoing()
    root = logging.getLogger()
    for former in _lines_of(root):
        root.removeHandler(former)
    root.addHandler(_lines(json, stream, secrets))
    root.setLevel(number if number <= logging.DEBUG else max(number, logging.WARNING))
    for name in _OURS:
        logging.getLogger(name).setLevel(number)
    structlog.configure(
        processors=[ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=logging.getLogger,
        cache_logger_on_first_use=False,
    )
    return undo


def redactor(secrets: Collection[str] = ()) -> Callable[[object], object]:
    """Return a function that rewrites a value, however nested, without anything that looks like a secret.

    What it returns holds only strings, numbers, None, dicts and lists; other things become their repr.
    """
    exact = sorted({form for secret in secrets if secret for form in _forms(secret)}, key=len, reverse=True)
    ours = re.compile("|".join(map(re.escape, exact)) or r"(?!)")
    tokens = re.compile("|".join(_TOKENS))

    def blot(text: str) -> str:
        text = ours.sub(SECRET, text)
        return text if _HARMLESS.fullmatch(text) else tokens.sub(SECRET, text)

    def redact(value: object, depth: int = 0) -> object:
        match value:
            case str():
                return blot(value)
            case None | bool() | int() | float():
                return value
            case Mapping() if depth < _DEEPEST:
                return {str(redact(key, depth + 1)): redact(each, depth + 1) for key, each in value.items()}
            case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
                return [redact(each, depth + 1) for each in value]
            case _:
                return blot(repr(value))

    return redact


class _Lines(logging.StreamHandler[TextIO]):
    """Writes our lines. A record that cannot be written leaves its name and the error's, never its text."""

    def handleError(self, record: logging.LogRecord) -> None:
        # The standard library would print the message and its arguments, unredacted.
        line = f'{{"event": "a log record could not be written", "logger": "{record.name}"}}'
        with suppress(OSError, ValueError):  # the stream is closed or broken: nobody is left to tell
            self.stream.write(line + self.terminator)


def _lines(json: bool, stream: TextIO, secrets: Collection[str]) -> _Lines:
    handler = _Lines(stream)
    handler.addFilter(_keeps_its_counsel)
    handler.setFormatter(ProcessorFormatter(processors=_processors(json, stream, secrets)))
    return handler


def _processors(json: bool, stream: TextIO, secrets: Collection[str]) -> list[Processor]:
    redact = redactor(secrets)

    def without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {str(key): redact(value) for key, value in event.items()}

    return [
        structlog.stdlib.add_logger_name,
        _in_one_line,
        structlog.processors.format_exc_info,  # a plain traceback: locals hold message text
        structlog.stdlib.add_log_level,
        ProcessorFormatter.remove_processors_meta,
        without_secrets,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        ),
    ]


def _in_one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Have discord.py name an error, which it tells with a whole traceback at each attempt to reconnect."""
    if event.get("logger") == "discord.client" and isinstance(event.get("exc_info"), tuple):
        error = event.pop("exc_info")[1]
        event.update(error=type(error).__name__, said=str(error))
    return event


def _keeps_its_counsel(record: logging.LogRecord) -> bool:
    return record.levelno >= _FLOORS.get(re.split(r"[.:]", record.name, maxsplit=1)[0], logging.NOTSET)


def _forms(secret: str) -> set[str]:
    """A secret as it stands, and as repr (of its bytes too), JSON and URLs write it."""
    as_repr = {repr(secret)[1:-1], repr(secret.encode())[2:-1]}
    return {secret, dumps(secret)[1:-1], quote(secret, safe="")} | as_repr


def _lines_of(root: logging.Logger) -> list[_Lines]:
    return [handler for handler in root.handlers if isinstance(handler, _Lines)]


def _undoing() -> Callable[[], None]:
    root = logging.getLogger()
    levels = {logger: logger.level for logger in (root, *map(logging.getLogger, _OURS))}
    handlers = _lines_of(root)
    configuration = structlog.get_config()

    def undo() -> None:
        for latest in _lines_of(root):
            root.removeHandler(latest)
        for handler in handlers:
            root.addHandler(handler)
        for logger, number in levels.items():
            logger.setLevel(number)
        structlog.configure(**configuration)

    return undo
