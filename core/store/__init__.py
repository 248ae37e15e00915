"""Where everything Threadline must not forget is kept: SQLModel tables behind the ports, rows never leave."""

from core.store.engine import SoleProcess, connect, described, is_shared
from core.store.listening import Wakes
from core.store.pooled import PooledStore, open_store
from core.store.postgres import check_clock
from core.store.schema import check, migrate
from core.store.transact import Store

__all__ = [
    "PooledStore",
    "SoleProcess",
    "Store",
    "Wakes",
    "check",
    "check_clock",
    "connect",
    "described",
    "is_shared",
    "migrate",
    "open_store",
]
