"""The log: one form for all, and canaries that must never sing."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from bots.telemetry import SECRET, configure, redactor

KEY = 'mv-"k\\ey"/ü+CaNaRy5309'
BOT = "xoxb-1111111111-CaNaRy5309"
CANARIES = (
    KEY,
    BOT,
    "xoxe.xoxp-1-CaNaRy5309",
    "xoxa-2-CaNaRy5309",
    "xoxs-CaNaRy5309",
    "xapp-1-A0-CaNaRy5309",
    "Bearer CaNaRy5309",
    "authorization: bearer CaNaRy5309",
    "wss://wss-primary.slack.com/link/?ticket=CaNaRy5309&app_id=A1",
    "MTE0NTMwOTUzMDk1MzA5NTMw.GCaNaR.CaNaRy5309CaNaRy5309CaNaRy5309CaNaRy",
    "Authorization: Bot CaNaRy5309",
    "Bot not.the.usual-CaNaRy5309",
    "Bot CaNaRy5309CaNaRy5309",
    "https://discord.com/api/v10/webhooks/114530/CaNaRy5309_-a/messages/@original?wait=true",
    "POST /interactions/114530/CaNaRy5309_-a/callback",
)
Configure = Callable[..., io.StringIO]


@pytest.fixture
def configured() -> Iterator[Configure]:
    """Configure a fresh stream; everything is undone afterwards, the latest first."""
    undoing: list[Callable[[], None]] = []

    def start(*, json: bool = True, level: str = "INFO") -> io.StringIO:
        stream = io.StringIO()
        undoing.append(configure(json=json, level=level, stream=stream, secrets=(KEY, "")))
        return stream

    yield start
    while undoing:
        undoing.pop()()


@contextmanager
def unwatched() -> Iterator[None]:
    """Set the test runner's own handlers aside: they raise at a record that cannot be formatted."""
    root = logging.getLogger()
    watching = [handler for handler in root.handlers if type(handler).__module__.startswith("_pytest")]
    for handler in watching:
        root.removeHandler(handler)
    yield
    for handler in watching:
        root.addHandler(handler)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def sings(text: str) -> bool:
    return "CaNaRy" in text  # a time's microseconds could be any four digits


class Envelope:
    """Something that shows its secret when it is asked for its repr."""

    def __init__(self, content: object) -> None:
        self.content = content

    def __repr__(self) -> str:
        return f"Envelope({self.content!r})"


def raising(canary: str) -> None:
    hidden = f"a local that holds {canary}"
    raise ValueError(f"refused {canary}", len(hidden))


def test_a_line_of_ours_is_json_with_a_utc_time(configured: Configure) -> None:
    stream = configured()
    structlog.get_logger("core.services.asking").info("question accepted", delivery="d001", attempt=2)
    (line,) = lines(stream)
    at = datetime.fromisoformat(line.pop("timestamp"))
    assert at.tzinfo == UTC
    assert line == {
        "event": "question accepted",
        "level": "info",
        "logger": "core.services.asking",
        "delivery": "d001",
        "attempt": 2,
    }


def test_a_library_s_line_has_the_same_form(configured: Configure) -> None:
    stream = configured()
    logging.getLogger("aiohttp.access").warning("%s took %d s", "it", 3)
    (line,) = lines(stream)
    assert line["event"] == "it took 3 s"
    assert (line["level"], line["logger"]) == ("warning", "aiohttp.access")
    assert datetime.fromisoformat(line["timestamp"]).tzinfo == UTC


LIBRARIES = (
    "discord.gateway",
    "slack_bolt.AsyncApp",
    "slack_sdk",
    "apscheduler.scheduler",
    "uvicorn",
    "aiohttp.access",
    "alembic",
)


@pytest.mark.parametrize(
    ("level", "ours", "theirs"),
    [
        ("debug", ["debug", "info", "warning", "error"], ["debug", "info", "warning", "error"]),
        ("INFO", ["info", "warning", "error"], ["warning", "error"]),
        ("WARNING", ["warning", "error"], ["warning", "error"]),
        ("ERROR", ["error"], ["error"]),
    ],
)
def test_libraries_are_heard_from_warning_on_unless_all_is(
    configured: Configure, level: str, ours: list[str], theirs: list[str]
) -> None:
    for logger in ("bots.wiring", "core.services"):
        stream = configured(level=level)
        for method in ("debug", "info", "warning", "error"):
            getattr(structlog.get_logger(logger), method)("said")
        assert [line["level"] for line in lines(stream)] == ours
    for library in LIBRARIES:
        stream = configured(level=level)
        logging.getLogger(library).setLevel(logging.NOTSET)  # an app that Bolt built before has set its own
        for method in ("debug", "info", "warning", "error"):
            getattr(logging.getLogger(library), method)("said")
        expected = theirs[1:] if library.startswith(("slack", "discord")) and level == "debug" else theirs
        assert [line["level"] for line in lines(stream)] == expected


@pytest.mark.parametrize(
    "name",
    ["slack_bolt.AsyncApp", "slack_bolt:on_mention", "slack_sdk.web", "discord.gateway", "discord.http"],
)
def test_the_platforms_debug_lines_hold_whole_events_and_are_dropped_whoever_asks(
    configured: Configure, name: str
) -> None:
    stream = configured(level="DEBUG")
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logger.debug("a whole event")
    logger.setLevel(before)
    assert stream.getvalue() == ""


def test_statements_with_their_values_are_dropped(configured: Configure) -> None:
    stream = configured(level="DEBUG")
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT INTO turn … ('who calls billing?')")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "console"])
def test_no_canary_sings(configured: Configure, canary: str, as_json: bool) -> None:
    stream = configured(json=as_json, level="DEBUG")
    ours, theirs = structlog.get_logger("bots.test"), logging.getLogger("aiohttp.client")
    ours.info(f"event {canary}", value=canary)
    ours.bind(bound=canary).warning("nested", deep={"a": [{canary: (canary,)}], "b": {canary}})
    ours.error("objects", envelope=Envelope(canary), error=ValueError(canary), raw=canary.encode())
    theirs.info("%s and %r", canary, {"key": canary})
    with unwatched():
        theirs.warning("%d", canary)
    theirs.warning("stack", stack_info=True)
    try:
        try:
            raising(canary)
        except ValueError as error:
            error.add_note(canary)
            raise RuntimeError(canary) from error
    except RuntimeError as error:
        ours.exception("failed")
        theirs.exception("failed")
        ours.error("failed", exc_info=error)
    text = stream.getvalue()
    assert not sings(text)
    assert text.count("The above exception was the direct cause") == 3
    assert "a local that holds" not in text
    assert text.count(SECRET) == 20


def test_what_holds_no_secret_is_left_alone() -> None:
    redact = redactor(["s3cret"])
    value = {"n": 1, "f": 0.5, "none": None, "yes": True, "text": "who bears the xox", "list": ["a", ("b",)]}
    assert redact(value) == value | {"list": ["a", ["b"]]}
    assert redact("Bearer s3cret; s3cret") == f"Bearer {SECRET}; {SECRET}"
    assert redact(redact(f"{BOT} Bearer abc")) == f"{SECRET} {SECRET}"


def test_what_surrounds_a_discord_secret_stays_legible() -> None:
    redact = redactor()
    url = "https://discord.com/api/v10/{}/1145/aW50ZXJh-5309_x/callback?with_response=true"
    for room in ("webhooks", "interactions"):
        hidden = f"https://discord.com/api/v10/{room}/{SECRET}/callback?with_response=true"
        assert redact(url.format(room)) == hidden
    assert redact("{'Authorization': 'Bot x', 'a': 1}") == f"{{'{SECRET}', 'a': 1}}"
    assert redact({"Authorization": "Bot a.b.c"}) == {"Authorization": SECRET}


@pytest.mark.parametrize(
    "harmless",
    [
        "Bot started",
        "the bot threadline joined",
        "Bot 42 left.",
        "Bots.discord.side is a module",
        "authorization of bots",
        "/webhooks/{webhook_id}/{webhook_token}",
        "/interactions/{interaction_id}/{interaction_token}/callback",
        "/api/v10/webhooks/1145",
        "/channels/1145/messages/1146",
        "core.services.answering",
        "Monday.morning.standup",
    ],
)
def test_everyday_words_are_no_discord_secret(harmless: str) -> None:
    assert redactor()(harmless) == harmless


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert redactor(["abc", "abcdef"])("abcdef abc") == f"{SECRET} {SECRET}"


def test_a_thing_that_holds_itself_comes_to_an_end(configured: Configure) -> None:
    stream = configured()
    knot: dict[str, object] = {"token": BOT}
    knot["self"] = [knot]
    structlog.get_logger("bots.test").info("knot", knot=knot)
    assert lines(stream)[0]["event"] == "knot"
    assert not sings(stream.getvalue())


def test_a_record_that_cannot_be_written_tells_only_whose_it_was(
    configured: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = configured()
    with unwatched():
        logging.getLogger("aiohttp.server").warning("%d questions", BOT)
    assert lines(stream) == [{"event": "a log record could not be written", "logger": "aiohttp.server"}]
    assert capsys.readouterr().err == ""


def test_a_line_of_ours_that_cannot_be_written_tells_only_whose_it_was(configured: Configure) -> None:
    class Unshowable:
        def __repr__(self) -> str:
            raise ValueError(BOT)

    stream = configured()
    structlog.get_logger("bots.test").info("accepted", question=Unshowable())
    structlog.get_logger("bots.test").info("and on")
    first, second = lines(stream)
    assert first == {"event": "a log record could not be written", "logger": "bots.test"}
    assert second["event"] == "and on"


def test_a_closed_stream_stops_no_one(configured: Configure) -> None:
    configured().close()
    structlog.get_logger("bots.test").error("unheard")


def test_a_terminal_gets_readable_lines_and_plain_tracebacks(configured: Configure) -> None:
    stream = configured(json=False)
    try:
        raising("nothing")
    except ValueError:
        structlog.get_logger("bots.test").exception("failed", delivery="d001")
    first, *rest = stream.getvalue().splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[error", first)
    assert "failed" in first
    assert "delivery=d001" in first
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1].startswith("ValueError: ")
    assert not any(mark in stream.getvalue() for mark in ("\x1b", "╭", "locals"))


def test_configuring_again_replaces_and_undoing_brings_back(configured: Configure) -> None:
    first = configured()
    undo_by_hand = io.StringIO()
    undo = configure(json=True, level="DEBUG", stream=undo_by_hand)
    log = structlog.get_logger("bots.test")
    log.debug("to the second")
    undo()
    log.debug("to no one")
    log.info("to the first")
    assert [line["event"] for line in lines(undo_by_hand)] == ["to the second"]
    assert [line["event"] for line in lines(first)] == ["to the first"]


def test_everything_is_as_it_was_afterwards() -> None:
    root = logging.getLogger()

    def state() -> tuple[object, ...]:
        levels = [logging.getLogger(name).level for name in ("", "bots", "core")]
        return (
            *levels,
            list(root.handlers),
            structlog.get_config(),
        )

    before = state()
    undo = configure(json=True, level="DEBUG", stream=io.StringIO())
    assert state() != before
    undo()
    assert state() == before


def test_an_unknown_level_changes_nothing() -> None:
    before = list(logging.getLogger().handlers)
    with pytest.raises(KeyError):
        configure(json=True, level="LOUD", stream=io.StringIO())
    assert logging.getLogger().handlers == before


def test_an_attempt_of_discord_py_to_reconnect_is_one_line_that_names_its_cause(
    configured: Configure,
) -> None:
    stream = configured()
    cause = OSError("connection refused")
    logging.getLogger("discord.client").error("Attempting a reconnect in 1.00s", exc_info=cause)
    logging.getLogger("discord.gateway").error("something else", exc_info=cause)
    line, other = lines(stream)
    assert (line["error"], line["said"]) == ("OSError", "connection refused")
    assert "exception" not in line
    assert "OSError: connection refused" in other["exception"]
