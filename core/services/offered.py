"""What Threadline offers to the platforms' adapters, in one value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.clock import Clock
from core.model import Delivery, DeliveryId, Platform, WorkspaceId
from core.ports import Keys, Transact
from core.services.accounting import Accounting
from core.services.amending import Amending
from core.services.asking import Asking, AskingRules
from core.services.collecting import Collecting
from core.services.linking import Linking
from core.services.purging import Purging
from core.services.rush import Rush
from core.services.stopping import Stopping


class Workers(Protocol):
    """Whoever walks deliveries: `Delivering`, here or in another process."""

    rush: Rush  #: counts what this process takes in

    def wake(self) -> None:
        """Look for due work now."""
        ...

    def cancelled(self, deliveries: Sequence[Delivery]) -> None:
        """End what is under way for deliveries that were cancelled."""
        ...

    def purged(self, platform: Platform, workspace: WorkspaceId) -> None:
        """End what is under way for a workspace of which nothing is left."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The services that listeners, commands and clicks call."""

    asking: Asking
    amending: Amending
    stopping: Stopping
    linking: Linking
    accounting: Accounting
    collecting: Collecting
    purging: Purging

    @classmethod
    def over(
        cls,
        transact: Transact,
        clock: Clock,
        rules: AskingRules,
        workers: Workers,
        *,
        new_id: Callable[[datetime], DeliveryId],
        keys: Keys,
    ) -> "Services":
        """Return the services over one store; what they accept, and end, the `workers` hear of."""
        wake, cancelled = workers.wake, workers.cancelled
        asking = Asking(
            transact,
            clock,
            rules,
            new_id=new_id,
            wake=wake,
            cancelled=cancelled,
            rush=workers.rush,
        )
        return cls(
            asking=asking,
            amending=Amending(transact, clock, asking, budget=rules.budget, cancelled=cancelled, wake=wake),
            stopping=Stopping(transact, clock, cancelled=cancelled),
            linking=Linking(transact, clock, rules.own, wake=wake),
            accounting=Accounting(transact, clock, rules.own, keys, wake=wake),
            collecting=Collecting(transact),
            purging=Purging(transact, purged=workers.purged),
        )
