"""`/threadline account`: a workspace's own API key, by a form. What is written there is not logged."""

import json
from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck

from bots import texts
from bots.slack.calls import translated
from bots.slack.inbound import SLACK, workspace_of
from bots.slack.workspaces import Workspace
from bots.texts import accounts as said
from core.errors import ThreadlineError
from core.model import Account, AuthorId, ChannelKey, WorkspaceId
from core.services.accounting import Accounting
from core.services.filling import Field, wanted

log = structlog.get_logger(__name__)

#: The id of the form.
ACCOUNT = "account"
_LONGEST = {Field.KEY: 500, Field.PROJECTS: 2_000}
_LONGEST_NUMBER = 9


class AccountForm:
    """Opens the form and takes in what is sent by it; or takes a key away."""

    def __init__(self, accounting: Accounting, *, admins: frozenset[str]) -> None:
        self._accounting = accounting
        self._admins = admins

    async def open(self, command: Mapping[str, Any], here: Workspace) -> str | None:
        """Open the form for who has typed the command, if they may; return what is to be said instead."""
        if not await here.members.may_link(AuthorId(command["user_id"]), self._admins):
            return texts.NOT_ALLOWED
        if not self._accounting.can_keep:
            return said.NOT_KEPT
        at = ChannelKey(SLACK, workspace_of(command))
        form = _form(at, await self._accounting.get(at))
        with translated():
            await here.client.views_open(trigger_id=command["trigger_id"], view=dict(form))
        return None

    async def remove(self, command: Mapping[str, Any], here: Workspace) -> str:
        """Take the workspace's own key away, and return what is said then."""
        if not await here.members.may_link(AuthorId(command["user_id"]), self._admins):
            return texts.NOT_ALLOWED
        at = ChannelKey(SLACK, workspace_of(command))
        had_one = await self._accounting.remove(at)
        log.info("account removed", workspace=at.workspace, had_one=had_one)
        has_key = (await self._accounting.terms(at)).has_key
        who = texts.WORKSPACE_ADMIN
        return said.removed(had_one=had_one, has_key=has_key, admin=who, whole=texts.WORKSPACE)

    async def on_submit(
        self, ack: AsyncAck, view: Mapping[str, Any], body: Mapping[str, Any], here: Workspace
    ) -> None:
        """Set what was filled in, once the key has proved good; say in the form what came of it.

        Slack waits three seconds for that: the key is checked within two.
        """
        at = ChannelKey(SLACK, WorkspaceId(json.loads(view["private_metadata"])["workspace"]))
        who = AuthorId(body["user"]["id"])
        try:
            if not await here.members.may_link(who, self._admins):
                await ack(response_action="errors", errors={Field.KEY.value: texts.NOT_ALLOWED})
                return
            account, released = await self._accounting.set(at, wanted(_written(view)), who)
        except ThreadlineError as error:
            log.info("account not set", workspace=at.workspace, error=type(error).__name__)
            errors = {field.value: fault for field, fault in said.faults(error).items()}
            await ack(response_action="errors", errors=errors)
            return
        log.info("account set", workspace=at.workspace, by=who)
        words = said.saved(account, released=released, whole=texts.WORKSPACE)
        await ack(response_action="update", view=dict(_saved(words)))


def _written(view: Mapping[str, Any]) -> Mapping[str, str]:
    values = view["state"]["values"]
    return {field: values[field][field].get("value") or "" for field in Field if field in values}


def _form(at: ChannelKey, account: Account | None) -> Mapping[str, Any]:
    """Return the form, filled in with what is set already, but for the key."""
    shown = {Field.KEY: "", **said.shown(account)}
    placeholders = {Field.KEY: said.keep_key(account)}
    return {
        "type": "modal",
        "callback_id": ACCOUNT,
        "private_metadata": json.dumps({"workspace": at.workspace}),
        "title": _plain_text(said.TITLE.format(whole=texts.WORKSPACE)),
        "submit": _plain_text(said.SUBMIT),
        "close": _plain_text(texts.ASK_CANCEL),
        "blocks": [
            _input(
                field,
                shown[field],
                placeholders.get(field, ""),
                optional=field is not Field.KEY or account is not None,
            )
            for field in Field
        ],
    }


def _input(field: Field, shown: str, placeholder: str, *, optional: bool) -> Mapping[str, Any]:
    element = {
        "type": "plain_text_input",
        "action_id": field.value,
        "max_length": _LONGEST.get(field, _LONGEST_NUMBER),
        **({"initial_value": shown} if shown else {}),
        **({"placeholder": _plain_text(placeholder)} if placeholder else {}),
    }
    return {
        "type": "input",
        "block_id": field.value,
        "optional": optional,
        "label": _plain_text(said.LABELS[field]),
        "hint": _plain_text(said.HINTS[field]),
        "element": element,
    }


def _saved(words: str) -> Mapping[str, Any]:
    """Return what takes the form's place once all is set."""
    return {
        "type": "modal",
        "title": _plain_text(said.SAVED),
        "close": _plain_text(said.CLOSE),
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": words}}],
    }


def _plain_text(text: str) -> Mapping[str, str]:
    return {"type": "plain_text", "text": text}
