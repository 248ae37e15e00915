"""A simulated Slack workspace on the real wire: Web API, signed events, Socket Mode. Not a Slack client."""

from bots.demo.faults import Delay, Faults, Hold, Reset
from bots.demo.slack.courier import Interaction
from bots.demo.slack.faults import HttpError, RateLimited, Refuse
from bots.demo.slack.records import (
    ApiCall,
    Channel,
    EventDelivery,
    Message,
    Note,
    Ping,
    Reply,
    Transport,
    User,
    View,
)
from bots.demo.slack.server import SlackServer
from bots.demo.slack.workspace import SlackWorkspace

__all__ = [
    "ApiCall",
    "Channel",
    "Delay",
    "EventDelivery",
    "Faults",
    "Hold",
    "HttpError",
    "Interaction",
    "Message",
    "Note",
    "Ping",
    "RateLimited",
    "Refuse",
    "Reply",
    "Reset",
    "SlackServer",
    "SlackWorkspace",
    "Transport",
    "User",
    "View",
]
