"""One attempt's result, and the schedule of attempts for an event. How one travels is not known here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bots.demo.slack.records import EventDelivery, Json, Transport
from bots.demo.slack.state import WorkspaceState

RETRIES = (0.0, 60.0, 300.0)
"""Seconds before each retry: at once, a minute, five minutes (docs.slack.dev/apis/events-api)."""
ACK_WITHIN = 3.0
"""Seconds an app has to acknowledge anything."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Something for the app: an event, a slash command or an interactivity payload."""

    kind: str
    """Socket Mode's word for it: events_api, slash_commands, interactive."""
    body: Json
    retry_num: int = 0
    retry_reason: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one attempt."""

    transport: Transport
    status: int | None = None
    answer: Json = field(default_factory=dict)
    failure: str = ""
    """"" when the app acknowledged."""
    no_retry: bool = False
    """The app refused with `X-Slack-No-Retry: 1`."""


NOBODY = Receipt(Transport.NONE, failure="connection_failed")

Carry = Callable[[Parcel], Awaitable[Receipt]]


class Deliveries:
    """Delivers events through `carry` until acknowledged or given up, journalling every attempt."""

    def __init__(self, workspace: WorkspaceState, carry: Carry) -> None:
        self._workspace = workspace
        self._carry = carry

    async def deliver(self, envelope: Json) -> None:
        """Make up to four attempts by Slack's schedule."""
        receipt, _ = await self.attempt(envelope, 0, "")
        for number, wait in enumerate(RETRIES, start=1):
            if not receipt.failure or receipt.no_retry:
                return
            if wait:
                await self._workspace.clock.sleep(wait)
            receipt, _ = await self.attempt(envelope, number, receipt.failure)

    async def attempt(self, envelope: Json, number: int, reason: str) -> tuple[Receipt, EventDelivery]:
        """Make one attempt and write it into the journal."""
        clock = self._workspace.clock
        at, start = clock.now(), clock.monotonic()
        receipt = await self._carry(Parcel("events_api", envelope, number, reason))
        delivery = EventDelivery(
            event_id=envelope["event_id"],
            event_type=envelope["event"]["type"],
            attempt=number + 1,
            retry_num=number,
            retry_reason=reason,
            status=receipt.status,
            at=at,
            acked_after=None if receipt.failure else clock.monotonic() - start,
            transport=receipt.transport,
            failure=receipt.failure,
        )
        self._workspace.deliveries.append(delivery)
        self._workspace.changes.happened()
        return receipt, delivery
