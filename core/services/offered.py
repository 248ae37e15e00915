"""What Threadline offers to the platforms' adapters, in one value."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.model import DeliveryId
from core.ports import Keys, Transact
from core.services.accounting import Accounting
from core.services.amending import Amending
from core.services.asking import Asking, AskingRules
from core.services.collecting import Collecting
from core.services.delivering import Delivering
from core.services.linking import Linking
from core.services.purging import Purging
from core.services.stopping import Stopping


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
        delivering: Delivering,
        *,
        new_id: Callable[[datetime], DeliveryId],
        keys: Keys,
        wake: Callable[[], None] | None = None,
    ) -> "Services":
        """Return the services over one store; what they accept, and end, `delivering` hears of.

        Where others are to hear of what is accepted, too, `wake` tells them all.
        """
        wake, cancelled = wake or delivering.wake, delivering.cancelled
        asking = Asking(
            transact, clock, rules, new_id=new_id, wake=wake, cancelled=cancelled, rush=delivering.rush
        )
        return cls(
            asking=asking,
            amending=Amending(transact, clock, asking, budget=rules.budget, cancelled=cancelled, wake=wake),
            stopping=Stopping(transact, clock, cancelled=cancelled),
            linking=Linking(
                transact, clock, lane=rules.lane, default_project=rules.default_project, wake=wake
            ),
            accounting=Accounting(transact, clock, rules.own, keys, wake=wake),
            collecting=Collecting(transact),
            purging=Purging(transact, purged=delivering.purged),
        )
