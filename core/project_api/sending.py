"""A request's body that knows whether anybody may have seen the request; nothing of what comes back."""

import httpx


class Sending(httpx.ByteStream):
    """A request's body, perhaps empty. `taken` is set once a connection stands and the head is written to it.

    The kinds of errors do not tell as much: a connection may be reset before, while or after it is written.
    """

    def __init__(self, body: bytes = b"") -> None:
        super().__init__(body)
        self.body = body
        self.taken = False
