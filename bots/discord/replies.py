"""Answers to interactions by their token, which outlives the process that took them. It decides nothing."""

from typing import Any, cast

import discord
from discord.http import MultipartParameters, Route

from bots.discord.calls import calling
from bots.discord.messages import Said
from bots.discord.receipts import Ticket


class Replies:
    """Edits an interaction's own message, and adds private ones to it.

    These go through the client's own limiter: discord.py's webhooks would sleep out any 429.
    """

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def edit(self, ticket: Ticket, said: Said) -> int:
        """Make the interaction's own message say this, and return its id: it may be repeated.

        Raises TicketSpent, and other errors of core.errors.
        """
        with said.parameters() as params:
            return await self._call("PATCH", "/messages/@original", ticket, params)

    async def add(self, ticket: Ticket, said: Said) -> int:
        """Show its author alone one more message, which repeated comes twice. Raises as `edit`."""
        with said.parameters(unseen=True) as params:
            return await self._call("POST", "", ticket, params)

    async def _call(self, method: str, path: str, ticket: Ticket, params: MultipartParameters) -> int:
        route = Route(
            method,
            "/webhooks/{webhook_id}/{webhook_token}" + path,
            webhook_id=self._client.application_id,
            webhook_token=ticket.token,
        )
        async with calling():
            if params.files:
                shown = await self._client.http.request(route, files=params.files, form=params.multipart)
            else:
                shown = await self._client.http.request(route, json=params.payload)
            return int(cast("dict[str, Any]", shown)["id"])
