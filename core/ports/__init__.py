"""The Protocols between what Threadline decides and what carries it out. No implementations."""

from core.ports.installing import Installations, Sealing, Spent
from core.ports.outside import Catalogue, ChatApi, Poster
from core.ports.queue import Counts, Deliveries, Lanes, Marks
from core.ports.storing import Conversations, Links, Transact, UnitOfWork

__all__ = [
    "Catalogue",
    "ChatApi",
    "Conversations",
    "Counts",
    "Deliveries",
    "Installations",
    "Lanes",
    "Links",
    "Marks",
    "Poster",
    "Sealing",
    "Spent",
    "Transact",
    "UnitOfWork",
]
