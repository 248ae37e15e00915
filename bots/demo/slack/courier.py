"""What the workspace asks of whoever carries events and clicks to the app: the server."""

from dataclasses import dataclass, field
from typing import Protocol

from bots.demo.slack.records import EventDelivery, Json, Reply


@dataclass(eq=False, slots=True)
class Interaction:
    """A slash command, shortcut, click or submission: how the app acknowledged it and what it said since."""

    channel: str
    user: str
    thread_ts: str = ""
    team: str = ""
    status: int | None = None
    """The acknowledgement's status (200 over a socket); None when none came within 3 seconds."""
    body: Json = field(default_factory=dict)
    """The acknowledgement's JSON."""
    replies: list[Reply] = field(default_factory=list)
    """The acknowledgement's text first, then what came through the response_url."""

    @property
    def text(self) -> str:
        """Return the latest thing the app said, "" if it said nothing yet."""
        return self.replies[-1].text if self.replies else ""


class Courier(Protocol):
    """Carries events and interactions to the app; the server is one."""

    def send(self, envelope: Json) -> None:
        """Start delivering an event, with retries."""
        ...

    async def repeat(self, envelope: Json, times: int) -> tuple[EventDelivery, ...]:
        """Deliver an event that many times at once, as retries of itself."""
        ...

    async def ask(self, kind: str, body: Json) -> tuple[int | None, Json]:
        """Deliver an interaction; return the acknowledgement's status and JSON."""
        ...

    def response_url(self, interaction: Interaction) -> str:
        """Return a URL through which the app may answer the interaction."""
        ...

    async def disconnect(self, reason: str) -> None:
        """Ask every socket to go away."""
        ...
