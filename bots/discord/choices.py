"""Projects to choose from while somebody types: asked of the catalogue, remembered for a minute."""

from collections.abc import Sequence

import structlog
from discord import app_commands

from core.clock import Clock
from core.errors import ThreadlineError
from core.model import Project
from core.ports import Catalogue

log = structlog.get_logger(__name__)

_REMEMBERED = 60.0  #: seconds
_AT_MOST = 1_000
_OFFERED = 25  # Discord shows no more


class Choices:
    """Answers Discord's autocomplete."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._known: dict[str, tuple[float, Sequence[Project]]] = {}

    async def offer(self, typed: str) -> Sequence[app_commands.Choice[str]]:
        """Return what fits; nothing where the catalogue does not say: an id can be typed without it."""
        try:
            projects = await self._projects(typed.strip()[:100])
        except ThreadlineError as error:
            log.info("no projects to choose from", error=type(error).__name__, said=str(error))
            return []
        return [_choice(project) for project in projects[:_OFFERED]]

    async def _projects(self, typed: str) -> Sequence[Project]:
        asked_at, projects = self._known.get(typed, (float("-inf"), ()))
        if self._clock.monotonic() - asked_at < _REMEMBERED:
            return projects
        projects = await self._catalogue.projects(typed)
        if len(self._known) >= _AT_MOST:
            self._known.clear()
        self._known[typed] = (self._clock.monotonic(), projects)
        return projects


def _choice(project: Project) -> app_commands.Choice[str]:
    room = 100 - len(project.id) - 3  # of a choice's name
    named = f"{project.name[:room]} ({project.id})" if project.name != project.id else project.id
    return app_commands.Choice(name=named, value=project.id)
