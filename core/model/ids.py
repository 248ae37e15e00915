"""Who and where: opaque ids, and the keys made of them."""

import re
from dataclasses import dataclass
from typing import NewType

from core.errors import InvalidProjectId

Platform = NewType("Platform", str)
WorkspaceId = NewType("WorkspaceId", str)
ProjectId = NewType("ProjectId", str)
AuthorId = NewType("AuthorId", str)
EventId = NewType("EventId", str)
MessageId = NewType("MessageId", str)
DeliveryId = NewType("DeliveryId", str)
ConversationId = NewType("ConversationId", int)
LaneId = NewType("LaneId", str)
#: What an adapter needs to find its way back to one question; it alone writes and reads it.
Receipt = NewType("Receipt", str)
NO_RECEIPT = Receipt("")
# The endpoint's own pattern and lengths (the chat contract, components/schemas/ProjectId).
_PROJECT_ID = re.compile(r"[a-z0-9][a-z0-9-]{6,58}[a-z0-9]")


def project_id(text: str) -> ProjectId:
    """Return `text` as a ProjectId.

    Raises InvalidProjectId unless it has the form the endpoint demands, so that no URL is ever
    built from anything else.
    """
    if _PROJECT_ID.fullmatch(text) is None:
        raise InvalidProjectId
    return ProjectId(text)


def posting_lane(platform: Platform, workspace: WorkspaceId) -> LaneId:
    """Return the lane of a workspace's posting: its 429s hold up no question's asking."""
    return LaneId(f"post {platform} {workspace}")


@dataclass(frozen=True, slots=True)
class Project:
    """A project as people choose it."""

    id: ProjectId
    name: str


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """A place that can be linked to a project.

    `channel` is opaque; empty, it is the whole workspace; with an empty workspace, the whole platform.
    """

    platform: Platform
    workspace: WorkspaceId
    channel: str = ""


@dataclass(frozen=True, slots=True)
class ThreadKey:
    """One thread. `channel` and `thread` are opaque: only the adapter that wrote them reads them."""

    platform: Platform
    workspace: WorkspaceId
    channel: str
    thread: str

    @property
    def linked_at(self) -> ChannelKey:
        return ChannelKey(self.platform, self.workspace, self.channel)
