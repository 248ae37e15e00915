"""Log lines, ours and the libraries', in one form and without secrets; no line is written here."""

import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from json import dumps
from typing import Any, TextIO
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
    processors = _processors(json, stream, secrets)
    lines = _lines(stream, processors)
    root.addHandler(lines)
    root.setLevel(number if number <= logging.DEBUG else max(number, logging.WARNING))
    structlog.configure(
        processors=[_rendered_by(processors)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=partial(_Ours, lines),
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
    """Writes all lines. A record that cannot be written leaves its name and the error's, never its text."""

    def say(self, line: str) -> None:
        """Write a line. Where the stream is closed or broken nobody is left to tell."""
        with suppress(OSError, ValueError), self.lock or nullcontext():
            self.stream.write(line + self.terminator)
            self.flush()

    def handleError(self, record: logging.LogRecord) -> None:
        self.say(_unwritable(record.name))  # the standard library would print the message, unredacted


class _Ours:
    """structlog's way to the lines for one logger of ours. A record of logging's would double their price."""

    def __init__(self, lines: _Lines, name: str = "") -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.exception = self.critical = lines.say


def _rendered_by(processors: Sequence[Processor]) -> Processor:
    def rendered(logger: WrappedLogger, method: str, event: EventDict) -> Any:
        said: Any = event
        try:
            for process in processors:
                said = process(logger, method, said)
        except Exception:  # noqa: BLE001 whatever a value does when it is shown, whoever logs it goes on
            return _unwritable(logger.name)
        return said

    return rendered


def _unwritable(name: str) -> str:
    return f'{{"event": "a log record could not be written", "logger": "{name}"}}'


def _lines(stream: TextIO, processors: Sequence[Processor]) -> _Lines:
    handler = _Lines(stream)
    handler.addFilter(_keeps_its_counsel)
    named, *others = processors
    whole = [named, ProcessorFormatter.remove_processors_meta, *others]  # by which it is named
    handler.setFormatter(ProcessorFormatter(processors=whole))
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
    level = root.level
    handlers = _lines_of(root)
    configuration = structlog.get_config()

    def undo() -> None:
        for latest in _lines_of(root):
            root.removeHandler(latest)
        for handler in handlers:
            root.addHandler(handler)
        root.setLevel(level)
        structlog.configure(**configuration)

    return undo
