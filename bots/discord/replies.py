"""Answers to interactions by their token, which outlives the process that took them. It decides nothing."""

from datetime import timedelta
from typing import Any, cast

import discord
from discord.http import MultipartParameters, Route

from bots.discord.calls import TicketSpent, calling
from bots.discord.messages import Said
from bots.discord.receipts import Ticket
from core.clock import Clock

_REMEMBERED = 10_000
#: Discord lets an interaction be acknowledged for three seconds.
_ACKNOWLEDGED_WITHIN = timedelta(seconds=4)
_SOON = 0.25  #: seconds


class Replies:
    """Edits an interaction's own message, and adds private ones to it.

    These go through the client's own limiter: discord.py's webhooks would sleep out any 429.
    """

    def __init__(self, client: discord.Client, others: Clock | None = None) -> None:
        """`others`: the clock, where other processes take interactions in, too.

        A fresh one's acknowledgement may be on its way then: it is tried for as long as that may take.
        """
        self._client = client
        self._others = others
        self._shown: dict[int, int] = {}

    async def edit(self, ticket: Ticket, said: Said) -> int:
        """Make the interaction's own message say this, and return its id: it may be repeated.

        Raises TicketSpent, and other errors of core.errors.
        """
        with said.parameters() as params:
            shown = await self._call("PATCH", "/messages/@original", ticket, params)
        self.note(shown, ticket)
        return shown

    async def add(self, ticket: Ticket, said: Said) -> int:
        """Show its author alone one more message, which repeated comes twice. Raises as `edit`."""
        with said.parameters(unseen=True) as params:
            return await self._call("POST", "", ticket, params)

    def note(self, shown: int, ticket: Ticket) -> None:
        """Remember by which message, in this process, an interaction's question is shown."""
        self._shown[shown] = ticket.interaction
        while len(self._shown) > _REMEMBERED:
            del self._shown[next(iter(self._shown))]

    def shows(self, message: int) -> int | None:
        """Return the interaction whose question a message shows, as far as that is remembered."""
        return self._shown.get(message)

    async def _call(self, method: str, path: str, ticket: Ticket, params: MultipartParameters) -> int:
        route = Route(
            method,
            "/webhooks/{webhook_id}/{webhook_token}" + path,
            webhook_id=self._client.application_id,
            webhook_token=ticket.token,
        )
        while True:
            try:
                return await self._called(route, params)
            except TicketSpent:
                if self._others is None or not self._is_fresh(ticket, self._others):
                    raise
                await self._others.sleep(_SOON)

    def _is_fresh(self, ticket: Ticket, clock: Clock) -> bool:
        today = clock.wall(clock.now())  # by which Discord has dated the interaction
        return today - discord.utils.snowflake_time(ticket.interaction) < _ACKNOWLEDGED_WITHIN

    async def _called(self, route: Route, params: MultipartParameters) -> int:
        async with calling():
            if params.files:
                shown = await self._client.http.request(route, files=params.files, form=params.multipart)
            else:
                shown = await self._client.http.request(route, json=params.payload)
            return int(cast("dict[str, Any]", shown)["id"])
