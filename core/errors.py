"""Everything that can go wrong, sorted by what the caller may do about it.

ThreadlineError
├── Retryable              ask or post again later; the queue decides when
│   ├── RateLimited          the other side asked us to slow down
│   │   └── SealAway            or a workspace's own key cannot be opened here for now: it waits as long
│   ├── Unreachable          the request never left, or was never taken: safe to repeat
│   ├── OutcomeUnknown       it was sent and nothing came back: it may have been done (and charged)
│   ├── Unavailable          the other side answered that it cannot just now (5xx)
│   ├── BrokenAnswer         it answered, but not with anything the contract allows
│   ├── AccountRefused       the platform does not accept our token; someone has to renew it meanwhile
│   └── StoreUnavailable     the database is locked, full or away
└── Permanent              repeating changes nothing; someone has to act
    ├── KeyRefused           the assistant does not accept our API key
    │   └── OwnKeyRefused       nor a workspace's own: its admins have to set another
    ├── ProjectUnknown       no such project under this key
    ├── CreditsSpent         the organisation has no AI credits left
    ├── QuestionRejected     the assistant will not take this request
    ├── EndpointMisplaced    the configured address is not the assistant's
    ├── PostRefused          the platform will not show our message there
    ├── AskerAway            what is for one person alone cannot be shown to them just now
    ├── CannotLook           the platform will not let us look for a message
    ├── LeaseLost            another holder has the delivery now
    ├── InvalidProjectId     not a project id by the endpoint's own pattern
    ├── ProjectNotAllowed    the workspace's account does not allow that project
    ├── SealMissing          there is no key by which anything could be sealed
    ├── SealUnbroken         none of our keys opens what is stored
    └── StoreUnusable        the database is not ours, newer than we are, or held by another process
"""

from datetime import timedelta


class ThreadlineError(Exception):
    """Something went wrong that Threadline has a name for."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


class Retryable(ThreadlineError):
    """The same attempt may succeed later."""


class RateLimited(Retryable):
    """The other side asked us to slow down.

    `retry_after` is how long it asked for, never negative; None when it named no usable time.
    """

    def __init__(self, retry_after: timedelta | None = None, message: str = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SealAway(RateLimited):
    """A workspace's own API key cannot be opened: THREADLINE_SECRET_KEY lacks what it was sealed with."""

    def __init__(self) -> None:
        super().__init__(timedelta(minutes=1))


class Unreachable(Retryable):
    """The other side could not be reached; it has not seen the request."""


class OutcomeUnknown(Retryable):
    """The request was sent and no answer came; it may have been carried out, and charged."""


class Unavailable(Retryable):
    """The other side says that it cannot answer just now."""


class BrokenAnswer(Retryable):
    """The other side answered with something its contract does not allow."""


class AccountRefused(Retryable):
    """The platform does not accept our token any more; what we have for it waits for a new one."""


class StoreUnavailable(Retryable):
    """The database did not take the transaction; nothing was changed."""


class Permanent(ThreadlineError):
    """Repeating will not help; someone has to act."""


class KeyRefused(Permanent):
    """The assistant does not accept the API key."""


class OwnKeyRefused(KeyRefused):
    """The assistant does not accept the API key that a workspace has set for itself."""


class ProjectUnknown(Permanent):
    """There is no such project under this API key."""


class CreditsSpent(Permanent):
    """The organisation has no AI credits left."""


class QuestionRejected(Permanent):
    """The assistant will not take this request."""


class EndpointMisplaced(Permanent):
    """The configured address does not lead to the assistant."""


class PostRefused(Permanent):
    """The platform will not show our message there."""


class AskerAway(Permanent):
    """What is for one person alone cannot be shown to them; they will have to fetch it."""


class CannotLook(Permanent):
    """The platform does not let us look for a message."""


class LeaseLost(Permanent):
    """Another holder has this delivery now; what we were about to write is void."""


class InvalidProjectId(Permanent):
    """A project id has 8 to 60 characters: small letters, digits and hyphens, no hyphen at either end."""


class ProjectNotAllowed(Permanent):
    """The workspace's account does not allow that project: its admins can add it to the list."""


class SealMissing(Permanent):
    """API keys can be kept only sealed: whoever runs Threadline has to set THREADLINE_SECRET_KEY first."""


class SealUnbroken(Permanent):
    """What is stored was sealed with a key that is not in THREADLINE_SECRET_KEY: add that one at its end."""


class StoreUnusable(Permanent):
    """The database cannot be used by this version or this process."""
