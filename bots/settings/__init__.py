"""What operators set: environment variables and a .env file, read once, into one frozen Settings."""

from bots.settings.model import (
    ChatSettings,
    Fault,
    HttpSettings,
    Need,
    Settings,
    SettingsInvalid,
    SlackSettings,
)
from bots.settings.reading import VARIABLES, load

__all__ = [
    "VARIABLES",
    "ChatSettings",
    "Fault",
    "HttpSettings",
    "Need",
    "Settings",
    "SettingsInvalid",
    "SlackSettings",
    "load",
]
