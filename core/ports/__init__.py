"""The Protocols between what Threadline decides and what carries it out. No implementations."""

from core.ports.asked import Counts, Marks
from core.ports.installing import Installations, Sealing, Spent
from core.ports.outside import Catalogue, ChatApi, ChatApis, Keys, Poster
from core.ports.queue import Deliveries, Lanes
from core.ports.seats import Seats
from core.ports.storing import Accounts, Conversations, Links, Overtaking, Transact, UnitOfWork

__all__ = [
    "Accounts",
    "Catalogue",
    "ChatApi",
    "ChatApis",
    "Conversations",
    "Counts",
    "Deliveries",
    "Installations",
    "Keys",
    "Lanes",
    "Links",
    "Marks",
    "Overtaking",
    "Poster",
    "Sealing",
    "Seats",
    "Spent",
    "Transact",
    "UnitOfWork",
]
