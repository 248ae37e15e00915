"""Where everything Threadline must not forget is kept: SQLModel tables behind the ports, rows never leave."""

from core.store.engine import SoleProcess, connect
from core.store.schema import check, migrate
from core.store.transact import Store

__all__ = ["SoleProcess", "Store", "check", "connect", "migrate"]
