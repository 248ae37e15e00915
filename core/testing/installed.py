"""The store's twin: installations, departures, and what was used up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.model import Installation, Platform, WorkspaceId
from core.testing.tables import Tables

_WEEK = timedelta(days=7)


class MemoryInstallations:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, platform: Platform, workspace: WorkspaceId) -> Installation | None:
        return self._tables.installations.get((platform, workspace))

    def put(self, installation: Installation) -> None:
        self._tables.installations[installation.platform, installation.workspace] = installation

    def reseal(self, installation: Installation, token: str) -> bool:
        found = self.get(installation.platform, installation.workspace)
        if found is None or found.token != installation.token:
            return False
        self.put(replace(found, token=token))
        return True

    def remove(self, platform: Platform, workspace: WorkspaceId, upto: datetime | None = None) -> bool:
        found = self.get(platform, workspace)
        if found is None or (upto is not None and found.since > upto):
            return False
        del self._tables.installations[platform, workspace]
        return True

    def all(self, platform: Platform) -> Sequence[Installation]:
        found = [one for one in self._tables.installations.values() if one.platform == platform]
        return sorted(found, key=lambda one: one.workspace)

    def leave(self, platform: Platform, workspace: WorkspaceId, at: datetime) -> None:
        departures = self._tables.departures
        departures[platform, workspace] = max(at, departures.get((platform, workspace), at))
        self._tables.departures = {who: left for who, left in departures.items() if left >= at - _WEEK}

    def left(self, platform: Platform, workspace: WorkspaceId) -> datetime | None:
        return self._tables.departures.get((platform, workspace))


class MemorySpent:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def spend(self, once: str, until: datetime, now: datetime) -> bool:
        self._tables.spent = {what: end for what, end in self._tables.spent.items() if end > now}
        if once in self._tables.spent:
            return False
        self._tables.spent[once] = until
        return True
