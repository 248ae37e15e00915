"""The repositories of one transaction, over one connection."""

from sqlalchemy import Connection

from core.store.accounts import SqlAccounts
from core.store.conversations import SqlConversations
from core.store.counts import SqlCounts
from core.store.deliveries import SqlDeliveries
from core.store.installations import SqlInstallations, SqlSpent
from core.store.lanes import SqlLanes
from core.store.links import SqlLinks
from core.store.marks import SqlMarks
from core.store.overtaking import SqlOvertaking
from core.store.seats import SqlSeats


class SqlUnitOfWork:
    """Lives as long as its transaction; whoever made it commits or rolls back."""

    def __init__(self, connection: Connection) -> None:
        self.accounts = SqlAccounts(connection)
        self.conversations = SqlConversations(connection)
        self.overtaking = SqlOvertaking(connection, self.conversations)
        self.lanes = SqlLanes(connection)
        self.deliveries = SqlDeliveries(connection, self.lanes)
        self.links = SqlLinks(connection)
        self.marks = SqlMarks(connection)
        self.counts = SqlCounts(connection)
        self.installations = SqlInstallations(connection)
        self.spent = SqlSpent(connection)
        self.seats = SqlSeats(connection)
