"""Projects to choose from while somebody types: those of their own workspace, remembered for a minute."""

from collections.abc import Awaitable, Callable, Collection, Sequence

import structlog
from discord import app_commands

from core.clock import Clock
from core.errors import RateLimited, ThreadlineError
from core.model import ChannelKey, Project, ProjectId

_Shelf = Callable[[ChannelKey, str], Awaitable[Sequence[Project]]]

log = structlog.get_logger(__name__)

_REMEMBERED = 60.0  #: seconds
_AGAIN_AFTER = 10.0  # seconds after a failure
_AT_MOST = 1_000
_OFFERED = 25  # Discord shows no more


class Choices:
    """Answers Discord's autocomplete."""

    def __init__(self, shelf: _Shelf, clock: Clock) -> None:
        """`shelf` returns the projects that a workspace may choose from, by a few letters."""
        self._shelf = shelf
        self._clock = clock
        self._known: dict[tuple[ChannelKey, str], tuple[float, Sequence[Project]]] = {}
        self._away_until: dict[ChannelKey, float] = {}

    async def offer(
        self, whole: ChannelKey, typed: str, among: Collection[ProjectId] | None = None
    ) -> Sequence[app_commands.Choice[str]]:
        """Return what fits, of all projects of a workspace (the `whole` of it) or `among` these.

        Where the catalogue does not say, only what is among these: any other id can be typed without it.
        """
        sought = typed.strip()[:100]
        projects = await self._projects(whole, sought)
        if among is not None:
            unnamed = [Project(one, one) for one in sorted(among) if sought in one]
            named = [project for project in projects if project.id in among]
            projects = list({project.id: project for project in (*unnamed, *named)}.values())
        return [_choice(project) for project in projects[:_OFFERED]]

    async def _projects(self, whole: ChannelKey, typed: str) -> Sequence[Project]:
        now = self._clock.monotonic()
        asked_at, projects = self._known.get((whole, typed), (float("-inf"), ()))
        if now - asked_at < _REMEMBERED or now < self._away_until.get(whole, now):
            return projects
        try:
            projects = await self._shelf(whole, typed)
        except ThreadlineError as error:
            log.info("no projects to choose from", error=type(error).__name__, said=str(error))
            waits = error.retry_after if isinstance(error, RateLimited) else None
            if len(self._away_until) >= _AT_MOST:
                self._away_until.clear()
            self._away_until[whole] = now + (_AGAIN_AFTER if waits is None else waits.total_seconds())
            return projects
        if len(self._known) >= _AT_MOST:
            self._known.clear()
        self._known[whole, typed] = (self._clock.monotonic(), projects)
        return projects


def _choice(project: Project) -> app_commands.Choice[str]:
    room = 100 - len(project.id) - 3  # of a choice's name
    named = f"{project.name[:room]} ({project.id})" if project.name != project.id else project.id
    return app_commands.Choice(name=named, value=project.id)
