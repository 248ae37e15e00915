"""The Protocols between what Threadline decides and what carries it out. No implementations."""

from core.ports.outside import Catalogue, ChatApi, Poster
from core.ports.storing import Conversations, Deliveries, Lanes, Links, Transact, UnitOfWork

__all__ = [
    "Catalogue",
    "ChatApi",
    "Conversations",
    "Deliveries",
    "Lanes",
    "Links",
    "Poster",
    "Transact",
    "UnitOfWork",
]
