"""Where the app was installed by people of a workspace, and not by whoever runs it."""

from dataclasses import dataclass
from datetime import datetime

from core.model.ids import AuthorId, Platform, WorkspaceId


@dataclass(frozen=True, slots=True)
class Installation:
    """The app's place in one workspace; or in an organisation, whose id then stands for a workspace's.

    `token` is sealed; it is empty where the app is in the workspace by its `organisation` alone, whose
    token counts there. `since`: when it was installed last, or first used there, by our own clock.
    """

    platform: Platform
    workspace: WorkspaceId
    name: str
    bot_id: str
    bot_user: str
    by: AuthorId
    since: datetime
    token: str = ""
    organisation: str = ""
