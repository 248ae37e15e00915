"""Slack's JSON → our Question, or None for what we must not answer. Makes no calls."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bots.slack.mrkdwn import mentions, mentions_other, plain
from core.model import (
    AuthorId,
    EventId,
    MessageId,
    Platform,
    Question,
    Reason,
    ThreadKey,
    WorkspaceId,
)

SLACK = Platform("slack")

# A file, or a reply that is also sent to the channel: still somebody's own words.
_SPOKEN = frozenset({"", "file_share", "thread_broadcast"})
_TS = re.compile(r"[0-9]{1,11}\.[0-9]{6}")
_SLACKBOT = "USLACKBOT"
_LATEST = 99_999_999_999  #: seconds since 1970, as many as a `ts` can have


@dataclass(frozen=True, slots=True)
class Spoken:
    """What we read of an event in which a person says something; absent texts are empty."""

    kind: str
    event: str
    team: str
    channel: str
    channel_type: str
    author: str
    ts: str
    thread: str
    raw: str
    has_files: bool
    edited_at: datetime | None


def to_question(body: Mapping[str, Any], *, bot_user: str) -> Question | None:
    """Return None for what we must not answer: bots, edits, joins, and talk that is not meant for us.

    `body` is an `event_callback` whose event is a `message` or an `app_mention`. In a thread without a
    mention the question comes back not `addressed`: it counts only where the thread is ours.
    """
    said = spoken(body, bot_user=bot_user)
    if said is None:
        return None
    addressed = said.kind == "app_mention" or said.channel_type == "im" or mentions(said.raw, bot_user)
    if not addressed and (said.thread == said.ts or mentions_other(said.raw, bot_user)):
        return None
    text = plain(said.raw, bot_user)
    if not (addressed or text or said.has_files):
        return None
    return Question(
        event=EventId(said.event),
        message=MessageId(said.ts),
        thread=ThreadKey(SLACK, WorkspaceId(said.team), said.channel, said.thread),
        author=AuthorId(said.author),
        text=text,
        asked_at=written_at(said.ts),
        addressed=addressed,
        has_files=said.has_files,
        objection=Reason.EXTERNAL if body.get("is_ext_shared_channel") else None,
        edited_at=said.edited_at,
    )


def written_at(ts: str) -> datetime:
    """Return the time in a message's `ts`: seconds since 1970 with six decimals."""
    seconds, _, fraction = ts.partition(".")
    micros = int(f"{fraction:0<6.6}" or 0)
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=micros)


def to_ts(at: datetime) -> str:
    """Return a time as Slack's `ts`."""
    return f"{int(at.timestamp())}.{at.microsecond:06}"


def is_ts(text: str) -> bool:
    """Tell whether a text is a message's `ts`."""
    return _TS.fullmatch(text) is not None


def workspace_of(body: Mapping[str, Any]) -> WorkspaceId:
    """Return the workspace in which we are told of something; "" where nothing says so.

    In a channel that organisations share it need not be the one where it happened (`team_id`): by whose
    installation we hear of it stands in `authorizations` (docs.slack.dev/apis/events-api). A form names it,
    too; but where an organisation has installed us it names that one, of which nobody writes anything.
    """
    team = inner(body, "team")
    installed_in = text_of(inner(body, "view"), "app_installed_team_id")
    told = (
        "" if installed_in.startswith("E") else installed_in,
        text_of(team, "id"),
        text_of(_told_by(body), "team_id"),
        text_of(body, "team_id"),
        text_of(inner(body, "user"), "team_id"),  # what an organisation's installation is told of clicks
    )
    return WorkspaceId(next(filter(None, told), ""))


def organisation_of(body: Mapping[str, Any]) -> WorkspaceId | None:
    """Return the organisation by whose installation we are told of something; None for a workspace's own."""
    by = _told_by(body) or body
    if by.get("is_enterprise_install") not in {True, "true"}:
        return None
    found = text_of(inner(body, "enterprise"), "id") or text_of(by, "enterprise_id")
    return WorkspaceId(found) if found else None


def _told_by(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the installation for which an event is sent; there may be others that see it too."""
    listed = body.get("authorizations")
    first = listed[0] if isinstance(listed, list) and listed else None
    return first if isinstance(first, Mapping) else {}


def uninstalled_from(body: Mapping[str, Any]) -> WorkspaceId | None:
    """Return the workspace that an `app_uninstalled`, or a `tokens_revoked` of a bot's, is about.

    Where an organisation had installed us, it is the organisation.
    """
    event, team = inner(body, "event"), organisation_of(body) or workspace_of(body)
    revoked = bool(inner(event, "tokens").get("bot"))
    gone = event.get("type") == "app_uninstalled" or (event.get("type") == "tokens_revoked" and revoked)
    return team or None if gone else None


def shut_out_of(body: Mapping[str, Any]) -> Sequence[WorkspaceId]:
    """Return the workspaces that a `team_access_revoked` takes away from an organisation's installation."""
    event = inner(body, "event")
    # The documentation shows it one level deeper than any other event.
    listed = event.get("team_ids") or inner(event, "event").get("team_ids")
    return [WorkspaceId(one) for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def happened_at(body: Mapping[str, Any], now: datetime) -> datetime:
    """Return the latest time at which an event can have happened: Slack tells the second it was in.

    `now` is the time of day; it counts within that second, and where Slack tells none.
    """
    second = body.get("event_time")
    if not isinstance(second, int) or not 0 < second <= _LATEST:
        return now
    begins = datetime.fromtimestamp(second, UTC)
    return min(max(now, begins), begins + timedelta(seconds=1))


def spoken(body: Mapping[str, Any], *, bot_user: str) -> Spoken | None:
    """Return a person's words as they came; None for anything else, such as JSON of another shape.

    What has the right signature and a wrong shape would only be sent again if we failed over it.
    """
    event = body.get("event")
    if not isinstance(event, Mapping) or event.get("bot_id"):
        return None
    ts, edited = text_of(event, "ts"), text_of(inner(event, "edited"), "ts")
    said = Spoken(
        kind=text_of(event, "type"),
        event=text_of(body, "event_id"),
        team=workspace_of(body),
        channel=text_of(event, "channel"),
        channel_type=text_of(event, "channel_type"),
        author=text_of(event, "user"),
        ts=ts,
        thread=str(event.get("thread_ts") or ts),
        raw=text_of(event, "text"),
        has_files=bool(event.get("files") or event.get("attachments")),
        edited_at=written_at(edited) if is_ts(edited) else None,
    )
    whole = all((said.event, said.team, said.channel, said.author)) and is_ts(said.ts) and is_ts(said.thread)
    words = said.kind in {"message", "app_mention"} and str(event.get("subtype") or "") in _SPOKEN
    return said if whole and words and said.author not in {bot_user, _SLACKBOT} else None


def text_of(values: Mapping[str, Any], name: str) -> str:
    """Return a text of Slack's; a value of another kind is as good as none."""
    value = values.get(name)
    return value if isinstance(value, str) else ""


def inner(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object of Slack's; a value of another kind is as good as an empty one."""
    value = values.get(name)
    return value if isinstance(value, Mapping) else {}
