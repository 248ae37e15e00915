"""Looks up the organisation's projects over HTTP, read only; it neither keeps nor repeats anything."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from core.clock import Clock
from core.errors import BrokenAnswer, InvalidProjectId, ProjectUnknown
from core.model import Project, ProjectId, project_id
from core.project_api.line import Line
from core.project_api.replies import writable

_PAGE = 100  # the most the contract gives at once (GET /v1/projects, parameter `size`)
_LONGEST_NAME = 60  # components/schemas/ProjectGet, `name`


class HttpCatalogue(Line):
    """One API key's way to its projects: a `Catalogue` for people who are typing."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        clock: Clock,
        proxy: str | None = None,
        concurrency: int = 8,
        total_timeout: float = 2,
        max_body: int = 512 * 1024,
    ) -> None:
        """Prepare, without connecting; raises what `Line` raises."""
        super().__init__(
            base_url=base_url,
            api_key=api_key,
            concurrency=concurrency,
            clock=clock,
            proxy=proxy,
            connect_timeout=total_timeout,
            total_timeout=total_timeout,
            max_body=max_body,
            waits_for_a_slot=False,  # Discord gives an autocomplete three seconds, and no more
        )

    async def projects(self, query: str) -> Sequence[Project]:
        """Return up to a hundred projects whose names hold `query`, all of them if it is blank.

        Names that begin with it come first, else the order is the service's: the most recently
        updated first. Archived ones are left out, and what cannot be read. The total timeout
        includes the wait for a slot. Raises

        - Unreachable if the service cannot have seen the request, OutcomeUnknown if no whole reply came;
        - RateLimited, Unavailable, BrokenAnswer or a Permanent error for what the reply says.
        """
        sought = query.strip()
        if len(sought) > _LONGEST_NAME:
            return ()
        asked = {"query": sought} if sought else {}
        parameters = {**asked, "size": str(_PAGE), "archived": "false"}
        path = f"/v1/projects?{urlencode(parameters, errors='replace', quote_via=quote)}"
        found = _projects(await self._call("GET", path, unsaid=[sought]))
        start = sought.casefold()
        return sorted(found, key=lambda project: not project.name.casefold().startswith(start))

    async def unseen(self, projects: Collection[ProjectId]) -> Sequence[ProjectId]:
        """Make sure that the key is accepted, and return which of these projects it does not see.

        All of it at once, so within the total timeout. Raises what `projects` raises.
        """
        looks = [self._is_accepted(), *[self._sees(project) for project in projects]]
        found = await asyncio.gather(*looks, return_exceptions=True)
        for error in found:
            if isinstance(error, BaseException):
                raise error
        return [project for project, is_seen in zip(projects, found[1:], strict=True) if not is_seen]

    async def _is_accepted(self) -> bool:
        """Return True if the key is accepted; raise what else is said."""
        _projects(await self._call("GET", "/v1/projects?size=1", unsaid=()))
        return True

    async def _sees(self, project: ProjectId) -> bool:
        try:
            await self._call("GET", f"/v1/projects/{project_id(project)}", unsaid=())
        except ProjectUnknown:
            return False
        return True


def _projects(content: Any) -> Iterator[Project]:
    match content:
        case {"data": [*entries]}:
            return (project for entry in entries for project in _living(entry))
        case _:
            raise BrokenAnswer("The answer is JSON, but not a page of projects.")


def _living(entry: object) -> Iterator[Project]:
    """Yield the project of one entry, unless it is archived or not what the contract promises."""
    match entry:
        case {"archived": True}:
            return
        case {"id": str(text), "name": str(name)} if name.strip():
            try:
                yield Project(project_id(text), writable(name.strip()))
            except InvalidProjectId:
                return
