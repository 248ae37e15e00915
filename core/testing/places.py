"""The store's twin: lanes, links, accounts, marks and counts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from core.model import (
    Account,
    Amounts,
    ChannelKey,
    ConversationId,
    Delivery,
    DeliveryId,
    Lane,
    LaneId,
    Link,
    Mark,
    Platform,
    Question,
    SealedKey,
    State,
    ThreadKey,
    WorkspaceId,
)
from core.testing.tables import Tables

_OPEN = frozenset({State.UNLINKED, State.WAITING, State.ACCEPTED, State.ASKING})


class MemoryLanes:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, lane: LaneId) -> Lane:
        return self._tables.lanes.setdefault(lane, Lane(lane))

    def locked(self, lane: LaneId) -> Lane:
        return self.get(lane)

    def save(self, lane: Lane) -> None:
        self._tables.lanes[lane.id] = lane

    def busy(self, lane: LaneId) -> int:
        return self._tables.busy(lane)

    def remove(self, lane: LaneId) -> None:
        self._tables.lanes.pop(lane, None)


class MemoryLinks:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, at: ChannelKey) -> Link | None:
        return self._tables.links.get(at)

    def both(self, at: ChannelKey) -> tuple[Link | None, Link | None]:
        return self.get(at) if at.channel else None, self.get(replace(at, channel=""))

    def put(self, link: Link) -> None:
        self._tables.links[link.at] = link

    def hold(self, platform: Platform, workspace: WorkspaceId) -> None:
        pass

    def remove(self, at: ChannelKey) -> bool:
        return self._tables.links.pop(at, None) is not None

    def purge(self, platform: Platform, workspace: WorkspaceId) -> int:
        here = [at for at in self._tables.links if (at.platform, at.workspace) == (platform, workspace)]
        return sum(self.remove(at) for at in here)

    def all(self, platform: Platform) -> Sequence[Link]:
        links = [link for link in self._tables.links.values() if link.at.platform == platform]
        return sorted(links, key=lambda link: (link.at.workspace, link.at.channel))


class MemoryAccounts:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, platform: Platform, workspace: WorkspaceId) -> Account | None:
        return self._tables.accounts.get((platform, workspace))

    def put(self, account: Account) -> None:
        self._tables.accounts[account.platform, account.workspace] = account

    def reseal(self, account: Account, key: SealedKey) -> bool:
        found = self.get(account.platform, account.workspace)
        if found is None or found.key != account.key:
            return False
        self.put(replace(found, key=key))
        return True

    def remove(self, platform: Platform, workspace: WorkspaceId) -> bool:
        return self._tables.accounts.pop((platform, workspace), None) is not None

    def all(self, platform: Platform) -> Sequence[Account]:
        theirs = [account for account in self._tables.accounts.values() if account.platform == platform]
        return sorted(theirs, key=lambda account: account.workspace)


class MemoryMarks:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def edited(self, delivery: DeliveryId, at: datetime) -> bool:
        row = self._tables.rows.get(delivery)
        if row is None or (row.question.edited_at or at) > at:
            return False
        self._tables.rows[delivery] = replace(row, question=replace(row.question, edited_at=at))
        return True

    def put(self, delivery: DeliveryId, mark: Mark, due: datetime) -> bool:
        owed, _ = self._tables.marks.get(delivery, (None, due))
        said = {mark, Mark.DELETED}
        if delivery not in self._tables.rows or owed in said or self._tables.marked.get(delivery) in said:
            return False
        self._tables.marks[delivery] = (mark, due)
        return True

    def due(self, now: datetime, until: datetime, limit: int) -> Sequence[tuple[Delivery, Mark]]:
        owed = sorted(self._tables.marks.items(), key=lambda one: (one[1][1], one[0]))
        posted = [(self._tables.rows[id_].delivery, mark) for id_, (mark, due) in owed if due <= now]
        found = [(one, mark) for one, mark in posted if one.state is State.DONE][:limit]
        for one, _ in found:
            self.later(one.id, until)
        return found

    def later(self, delivery: DeliveryId, due: datetime) -> None:
        if delivery in self._tables.marks:
            mark, _ = self._tables.marks[delivery]
            self._tables.marks[delivery] = (mark, due)

    def made(self, delivery: DeliveryId, mark: Mark) -> None:
        if delivery in self._tables.rows:
            self._tables.marked[delivery] = mark
        if self._tables.marks.get(delivery, (None,))[0] is mark:
            del self._tables.marks[delivery]


class MemoryCounts:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def lately(
        self, question: Question, conversation: ConversationId, since: datetime, upto: Amounts
    ) -> Amounts:
        rows = [row.delivery for row in self._tables.queued()]
        counted = [one for one in rows if one.accepted_at >= since and one.state is not State.REFUSED]
        there = question.thread.linked_at
        here = [one for one in counted if _workspace(one.thread) == _workspace(question.thread)]
        waiting = [one for one in rows if one.state in _OPEN]
        return Amounts(
            _bounded(upto.thread, [one.conversation == conversation for one in counted]),
            _bounded(upto.person, [one.author == question.author for one in here]),
            _bounded(upto.channel, [one.thread.linked_at == there for one in counted]),
            _bounded(
                upto.waiting, [_workspace(one.thread) == _workspace(question.thread) for one in waiting]
            ),
        )

    def latest(self, platform: Platform, since: datetime, limit: int) -> Mapping[ThreadKey, datetime]:
        found: dict[ThreadKey, datetime] = {}
        for one in self._tables.written():
            if one.thread.platform == platform and one.asked_at >= since:
                found[one.thread] = one.asked_at
        return dict(sorted(found.items(), key=lambda entry: entry[1], reverse=True)[:limit])


def _bounded(upto: int | None, counted: Sequence[bool]) -> int | None:
    return None if upto is None else min(upto, sum(counted))


def _workspace(thread: ThreadKey) -> tuple[str, str]:
    return (thread.platform, thread.workspace)
