"""What operators set: environment variables and a .env file, read once, into one frozen Settings."""

from bots.settings.model import (
    ChatSettings,
    DiscordSettings,
    Fault,
    HttpSettings,
    Need,
    OAuthSettings,
    Settings,
    SettingsInvalid,
    SlackSettings,
)
from bots.settings.parsing import ALL as ALL_WORKSPACES
from bots.settings.reading import VARIABLES, load

__all__ = [
    "ALL_WORKSPACES",
    "VARIABLES",
    "ChatSettings",
    "DiscordSettings",
    "Fault",
    "HttpSettings",
    "Need",
    "OAuthSettings",
    "Settings",
    "SettingsInvalid",
    "SlackSettings",
    "load",
]
