"""What a command keeps out of its logs from the first line on."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bots.cli.starting import settings
from bots.settings import VARIABLES
from bots.telemetry import SECRET

SECRETS = {
    "MICROVISUALIZER_API_KEY": "canary-key-5309",
    "SLACK_BOT_TOKEN": "xoxb-canary-5309",
    "SLACK_APP_TOKEN": "xapp-canary-5309",
    "SLACK_SIGNING_SECRET": "canary-signing-5309",
    "DISCORD_TOKEN": "canary-discord-5309",
    "THREADLINE_SECRET_KEY": "canary-secret-key-5309-00000000000000000000=",
}


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """Take away, afterwards, what a command sets up once for its whole life."""
    loggers = [logging.getLogger(name) for name in ("", "bots", "core")]
    levels, handlers = [logger.level for logger in loggers], list(loggers[0].handlers)
    configuration = structlog.get_config()
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    for handler in [each for each in loggers[0].handlers if each not in handlers]:
        loggers[0].removeHandler(handler)
    structlog.configure(**configuration)


@pytest.mark.parametrize("left_out", [None, "SLACK", "DISCORD", "MICROVISUALIZER"])
def test_no_secret_that_is_set_can_be_logged(
    left_out: str | None,
    logs_as_before: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)  # away from a .env file
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    environ = {name: value for name, value in SECRETS.items() if name.partition("_")[0] != left_out}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HTTPS_PROXY", "http://someone:canary-proxy-5309@proxy.example:3128")
    settings()
    secrets = [*environ.values(), "canary-proxy-5309"]
    structlog.get_logger("bots.test").warning("all of them", secrets=secrets)
    said = capsys.readouterr().err
    assert said.count(SECRET) == len(secrets)
    assert "canary" not in said
