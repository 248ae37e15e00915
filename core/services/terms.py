"""On what terms a workspace asks: under which key, about which projects, how much. It changes nothing."""

from dataclasses import dataclass, field

from core.model import NO_KEY, Account, ChannelKey, LaneId, ProjectId, ThreadKey
from core.ports import UnitOfWork
from core.services.allowances import Allowances
from core.services.trusting import Trusted


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts for a workspace. Without an `account` that is the installation's own.

    An account has no default project: the installation's is one of another key. `trusted`: whom the
    installation's key serves, None for whoever comes.
    """

    lane: LaneId
    default_project: ProjectId | None = None
    allowances: Allowances = field(default_factory=Allowances)
    account: Account | None = None
    trusted: Trusted | None = None

    @property
    def has_key(self) -> bool:
        """Tell whether there is an API key to ask with."""
        return self.lane != NO_KEY

    def admits(self, project: ProjectId) -> bool:
        """Tell whether a project may be asked about."""
        return self.account is None or self.account.admits(project)

    def serve(self, uow: UnitOfWork, at: ChannelKey | ThreadKey) -> bool:
        """Tell whether these, the installation's, count for a workspace without an account."""
        return self.trusted is None or self.trusted.admits(uow, at)


def terms_of(uow: UnitOfWork, at: ChannelKey | ThreadKey, own: Terms) -> Terms:
    """Return a workspace's terms: one read. `own` are the installation's, for who has no account.

    Whom it does not trust with these has no key then, and is told of none of its projects.
    """
    account = uow.accounts.get(at.platform, at.workspace)
    if account is not None:
        return Terms(account.lane, None, own.allowances.narrowed_by(account), account)
    if own.serve(uow, at):
        return own
    return Terms(NO_KEY, None, own.allowances)
