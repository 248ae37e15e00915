"""On what terms a workspace asks: under which key, about which projects, how much. It changes nothing."""

from dataclasses import dataclass, field

from core.model import NO_KEY, Account, ChannelKey, LaneId, ProjectId, ThreadKey
from core.ports import UnitOfWork
from core.services.allowances import Allowances


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts for a workspace. Without an `account` that is the installation's own.

    An account has no default project: the installation's is one of another key.
    """

    lane: LaneId
    default_project: ProjectId | None = None
    allowances: Allowances = field(default_factory=Allowances)
    account: Account | None = None

    @property
    def has_key(self) -> bool:
        """Tell whether there is an API key to ask with."""
        return self.lane != NO_KEY

    def admits(self, project: ProjectId) -> bool:
        """Tell whether a project may be asked about."""
        return self.account is None or self.account.admits(project)


def terms_of(uow: UnitOfWork, at: ChannelKey | ThreadKey, own: Terms) -> Terms:
    """Return a workspace's terms: one read. `own` are the installation's, for who has no account."""
    account = uow.accounts.get(at.platform, at.workspace)
    if account is None:
        return own
    return Terms(account.lane, None, own.allowances.narrowed_by(account), account)
