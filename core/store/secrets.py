"""Seals what must not be read in the database: tokens and API keys. It knows no tables and keeps nothing."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.errors import SealUnbroken


class Cipher:
    """Fernet (AES-128-CBC, HMAC-SHA256) under one or several keys: the first seals, each of them opens.

    So a key is changed by putting a new one before it (cryptography.io/en/latest/fernet, MultiFernet).
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Take keys as `Fernet.generate_key` makes them, newest first. Raises ValueError for any other."""
        fernets = [Fernet(key) for key in keys]
        self._newest, self._fernet = fernets[0], MultiFernet(fernets)

    def seal(self, plain: str) -> str:
        """Return the text sealed: ASCII, another one each time."""
        return self._fernet.encrypt(plain.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed. Raises SealUnbroken if no key fits, or it was tampered with."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SealUnbroken from error

    def renewed(self, sealed: str) -> str | None:
        """Return it sealed by the newest key; None where it is. Raises SealUnbroken as `open`."""
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return self.seal(self.open(sealed))
        return None
