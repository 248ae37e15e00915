"""Serves the response_urls of interactions: five uses in thirty minutes, as on Slack."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from bots.demo.slack.arguments import Refused
from bots.demo.slack.blocks import check_blocks
from bots.demo.slack.chat import post
from bots.demo.slack.courier import Interaction
from bots.demo.slack.interactions import show
from bots.demo.slack.records import Json
from bots.demo.slack.workspace import SlackWorkspace

MOST_USES = 5
LASTS = 1800.0


@dataclass(slots=True)
class _Issued:
    interaction: Interaction
    workspace: SlackWorkspace
    since: float
    uses: int = 0


class ResponseUrls:
    """Hands out response_urls and does what is posted to them."""

    def __init__(self, workspaces: Mapping[str, SlackWorkspace]) -> None:
        """`workspaces`: by their team ids."""
        self._workspaces = workspaces
        self._issued: dict[str, _Issued] = {}

    def issue(self, interaction: Interaction) -> str:
        """Return the key of a new response_url."""
        workspace = self._workspaces[interaction.team]
        key = workspace.new_id("R")
        self._issued[key] = _Issued(interaction, workspace, workspace.clock.monotonic())
        return key

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Show what the app posts; Slack answers a plain "ok"."""
        issued = self._issued.get(request.match_info["key"])
        if issued is None:
            return _refusal("invalid_url")
        if issued.workspace.clock.monotonic() - issued.since > LASTS:
            return _refusal("expired_url")
        if issued.uses >= MOST_USES:
            return _refusal("used_url")
        issued.uses += 1
        try:
            _show(issued.workspace, issued.interaction, await request.json())
        except Refused as refusal:
            return web.Response(status=400, text=refusal.error)
        return web.Response(text="ok")


def _show(workspace: SlackWorkspace, interaction: Interaction, body: Json) -> None:
    blocks = check_blocks(body["blocks"]) if body.get("blocks") else ()
    if not (body.get("text") or blocks or body.get("delete_original")):
        raise Refused("no_text")
    reply = show(workspace, interaction, body)
    if reply.in_channel and interaction.channel:
        thread_ts = str(body.get("thread_ts") or interaction.thread_ts)
        post(workspace, interaction.channel, reply.text, blocks, thread_ts)


def _refusal(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=404)
