"""An installation among people: all that they, and the platforms, can do to it, by name."""

import asyncio
from datetime import timedelta

from core.errors import ThreadlineError
from core.model import (
    Amendment,
    AuthorId,
    ChannelKey,
    Outcome,
    Platform,
    ProjectId,
    State,
    ThreadKey,
)
from core.services.reviewing import Reviewed
from tests.faults.machine.ledger import Asked
from tests.faults.machine.process import Process
from tests.faults.machine.town import BUDGET, PEOPLE, THREADS, Town


class Installation(Town):
    """A town whose people write, edit, delete, link and fetch."""

    def write(
        self,
        thread: ThreadKey,
        author: AuthorId,
        text: str,
        *,
        earlier: int,
        addressed: bool,
        offered: bool,
        which: int,
    ) -> None:
        """Have somebody write a message; it is delivered at once, or perhaps later."""
        said = f"q{len(self.ledger.asked)}v0"
        at = self.now - timedelta(seconds=earlier)
        asked = self.ledger.write(thread, author, at, addressed=addressed, text=self.worded(said, text))
        if offered:
            self.offer(asked, event=1, at=self.some(which))

    @staticmethod
    def worded(said: str, how: str) -> str:
        """Return a text: as it is, too long, or something else altogether."""
        return {"asks": said, "long": said.ljust(BUDGET + 1, ".")}.get(how, how)

    def offer(self, asked: Asked, *, event: int, at: Process) -> None:
        """Deliver a message as a new one, by its first event or another."""
        outcome = self.loop.run(at.do(at.services.asking.accept(asked.question(event=event))))
        self._came_to(asked, outcome)

    def offer_twins(self, asked: Asked, first: Process, second: Process) -> None:
        """Deliver a message by two events at the same time."""

        async def both() -> list[Outcome | None]:
            return list(
                await asyncio.gather(
                    first.do(first.services.asking.accept(asked.question(event=1))),
                    second.do(second.services.asking.accept(asked.question(event=2))),
                )
            )

        for outcome in self.loop.run(both()):
            self._came_to(asked, outcome)

    def _came_to(self, asked: Asked, outcome: Outcome | None) -> None:
        if outcome is None or outcome is Outcome.DUPLICATE:
            return
        asked.outcome, asked.turn = outcome, self.ledger.turn
        if outcome is Outcome.STOPPED:
            self._stopped(asked.thread, asked.author)

    def edit(self, asked: Asked, text: str, at: Process) -> None:
        """Have a message say something else."""
        before, asked.text = asked.text, text
        asked.allowed = {before, text}
        amendment = self.loop.run(at.do(self._edited(asked, at)))
        if amendment is None:
            asked.text, asked.allowed = before, {before}
        elif amendment is Amendment.UNKNOWN:
            asked.allowed = {before, text}
        elif asked.outcome is None and amendment is Amendment.TAKEN:
            asked.outcome, asked.turn = Outcome.ACCEPTED, self.ledger.turn

    async def _edited(self, asked: Asked, at: Process) -> Amendment:
        """Take an edit; from the moment it is taken, only the latest text may be sent."""
        question = asked.question(event=100 + asked.version)
        amendment = await at.services.amending.edited(question)
        if amendment is Amendment.TAKEN:
            asked.allowed = {asked.text}
        asked.emptied |= amendment is Amendment.CANCELLED
        return amendment

    def delete(self, asked: Asked, at: Process, *, said: bool) -> None:
        """Delete a message; `said`: the platform tells what it was."""
        self.loop.run(at.do(self._deleted(asked, at, said=said)))

    async def _deleted(self, asked: Asked, at: Process, *, said: bool) -> None:
        question = asked.question(event=99) if said else None
        amendment = await at.services.amending.deleted(
            asked.thread.linked_at, asked.question().message, question
        )
        asked.gone |= amendment is not Amendment.UNKNOWN

    def stop(self, thread: ThreadKey, by: AuthorId, at: Process) -> None:
        if self.loop.run(at.do(at.services.stopping.stop(thread, by))):
            self._stopped(thread, by)

    def _stopped(self, thread: ThreadKey, by: AuthorId) -> None:
        for one in self.ledger.asked:
            if (one.thread, one.author) == (thread, by):
                one.stopped = True

    def purge(self, at: ChannelKey, by: Process) -> None:
        self.loop.run(by.do(self._purged(at, by)))

    async def _purged(self, at: ChannelKey, by: Process) -> None:
        there = list(self.ledger.here(at.platform, at.workspace))
        await by.services.purging.purge(at.platform, at.workspace)
        for one in there:
            one.purged = True
            one.outcome = None
        for thread in THREADS:
            if (thread.platform, thread.workspace) == (at.platform, at.workspace):
                self.watch.bound.pop(thread, None)

    def link(self, at: ChannelKey, project: ProjectId | None, by: Process, *, answers_all: bool) -> None:
        linking = by.services.linking
        if project is None:
            self.loop.run(by.do(linking.unlink(at)))
        else:
            self.loop.run(by.do(linking.link(at, project, PEOPLE[0], answers_all=answers_all)))

    def fetch(self, platform: Platform, author: AuthorId, by: Process) -> None:
        """Have somebody fetch what is kept for them."""

        async def fetching() -> None:
            for kept in await by.services.collecting.kept(platform, author):
                await by.services.collecting.fetched(kept)
                self.ledger.of(kept.delivery.asked_at).fetched = True

        self.loop.run(by.do(fetching()))

    def review(self, which: int, by: Process) -> None:
        """Have an operator look into a thread, and do what is right there."""
        listed = [
            one
            for state in (State.AMBIGUOUS, State.BURIED)
            for one in self.loop.run(by.do(by.reviewing.listed(state))) or ()
        ]
        if listed:
            self.loop.run(by.do(self._reviewed(listed[which % len(listed)], by)))

    async def _reviewed(self, one: Reviewed, by: Process) -> None:
        delivery = one.delivery
        asked = self.ledger.of(delivery.asked_at)
        shown = [piece for piece, _ in self.outside.shown.get(delivery.id, [])]
        numbers = sum(piece.isdigit() for piece in shown)
        is_there = numbers > one.posted or (delivery.notice is not None and len(shown) > numbers)
        try:
            if delivery.state is State.AMBIGUOUS and is_there:
                await by.reviewing.is_posted(delivery.id)
                asked.vouched = True
                return
            await by.reviewing.post_again(delivery.id)
        except ThreadlineError:
            return
        self.outside.shown[delivery.id] = [
            one for one in self.outside.shown.get(delivery.id, []) if one[0].isdigit()
        ]
        self.outside.told_away[delivery.id] = 0
        asked.revived = True
