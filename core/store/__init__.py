"""Where everything Threadline must not forget is kept: SQLModel tables behind the ports, rows never leave."""

from core.store.copying import Copied, CopiedTable, Deed, Step, copy
from core.store.engine import SoleProcess, connect, described, is_shared
from core.store.listening import Wakes
from core.store.pooled import PooledStore, open_store
from core.store.schema import Migrated, check, migrate
from core.store.timing import keep_time, take_time
from core.store.transact import Store

__all__ = [
    "Copied",
    "CopiedTable",
    "Deed",
    "Migrated",
    "PooledStore",
    "SoleProcess",
    "Step",
    "Store",
    "Wakes",
    "check",
    "connect",
    "copy",
    "described",
    "is_shared",
    "keep_time",
    "migrate",
    "open_store",
    "take_time",
]
