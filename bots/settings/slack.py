"""What is set about Slack: an app of one workspace, or one that any workspace can install; never both."""

from pydantic import SecretStr

from bots.settings import parsing
from bots.settings.model import OAuthSettings, SlackSettings
from bots.settings.variables import Reading

_OWN = "SLACK_BOT_TOKEN"
_REACHED = ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
_OAUTH = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")
SECRETS = (_OWN, *_REACHED, *_OAUTH)

_EITHER = (
    "one of: SLACK_APP_TOKEN (Socket Mode: no public address needed)"
    " or SLACK_SIGNING_SECRET (HTTP: Slack calls us)."
)
WAYS = f"Set SLACK_BOT_TOKEN and {_EITHER}"
"""What makes Slack work, as a remedy."""


def read(reading: Reading, *, listens: bool) -> SlackSettings | None:
    """Return what is set about Slack, None for nothing, or not enough; notes the faults."""
    bot_token = reading.take(_OWN, parsing.secret("a bot token (xoxb-…)", "xoxb-"), None)
    app_token = reading.take("SLACK_APP_TOKEN", parsing.secret("an app-level token (xapp-…)", "xapp-"), None)
    signing_secret = reading.take("SLACK_SIGNING_SECRET", parsing.secret("a signing secret"), None)
    api_url = reading.take("SLACK_API_URL", parsing.address, "https://slack.com/api/")
    oauth = _oauth(reading, listens=listens)
    _look_whether_reached(reading, listens=listens)
    if bot_token is None and oauth is None:
        return None
    return SlackSettings(
        bot_token, app_token, signing_secret, api_url.rstrip("/") + "/", reading.proxy(api_url), oauth
    )


def _look_whether_reached(reading: Reading, *, listens: bool) -> None:
    """Note what is amiss with how Slack and the app reach each other."""
    ours = next((name for name in (_OWN, *_OAUTH) if name in reading), None)
    reached = next((name for name in _REACHED if name in reading), None)
    if ours is not None and reached is None and listens:
        reading.fault(ours, "is set, but no way for Slack to reach us", f"Set {_EITHER}")
    if ours is None and reached is not None:
        remedy = f"Set it to the bot's xoxb- token; for many workspaces set {' and '.join(_OAUTH)}."
        reading.fault(_OWN, f"is not set, though {reached} is", remedy)


def _oauth(reading: Reading, *, listens: bool) -> OAuthSettings | None:
    client_id = reading.take(
        "SLACK_CLIENT_ID",
        parsing.matching(r"[0-9]+\.[0-9]+", "is not a client id", "It is two numbers with a point between."),
        None,
    )
    client_secret = reading.take("SLACK_CLIENT_SECRET", parsing.secret("a client secret"), None)
    public_url = reading.take("THREADLINE_PUBLIC_URL", parsing.address, None)
    if not any(name in reading for name in _OAUTH):
        return None
    for name, other in (_OAUTH, _OAUTH[::-1]):
        if name not in reading:
            remedy = f"Copy it from Basic Information, or remove {other}."
            reading.fault(name, f"is not set, though {other} is", remedy)
    if _OWN in reading:
        problem = "is set, and so is an app for many workspaces (SLACK_CLIENT_ID, SLACK_CLIENT_SECRET)"
        reading.fault(_OWN, problem, "Remove the one or the other.")
    _look_what_many_need(reading, listens=listens)
    return _whole(client_id, client_secret, public_url)


def _look_what_many_need(reading: Reading, *, listens: bool) -> None:
    if "THREADLINE_SECRET_KEY" not in reading:
        remedy = "Set it to what `threadline secret` prints: it seals the tokens of workspaces."
        reading.fault("THREADLINE_SECRET_KEY", "is not set, though SLACK_CLIENT_ID is", remedy)
    if listens and "THREADLINE_PUBLIC_URL" not in reading:
        remedy = "Set it to where browsers reach us, https://HOST: who installs the app comes back there."
        reading.fault("THREADLINE_PUBLIC_URL", "is not set, though SLACK_CLIENT_ID is", remedy)


def _whole(
    client_id: str | None, client_secret: SecretStr | None, public_url: str | None
) -> OAuthSettings | None:
    if client_id is None or client_secret is None:
        return None
    return OAuthSettings(client_id, client_secret, public_url or "")
