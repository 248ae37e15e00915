"""The right to answer an interaction, sealed for the database: its token is a secret."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import discord
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.model import NO_RECEIPT, Receipt

#: How long an interaction can be answered (Discord, receiving-and-responding).
LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One interaction: `header` is what its own message says once it no longer says "thinking"."""

    interaction: int
    token: str
    header: str

    @property
    def expires_at(self) -> datetime:
        """When Discord stops taking answers: the id tells when it was made."""
        return discord.utils.snowflake_time(self.interaction) + LIFE


class Receipts:
    """Seals and opens receipts with a key made of the bot token, which is not in the database."""

    def __init__(self, bot_token: str) -> None:
        made = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"threadline receipts")
        self._box = Fernet(base64.urlsafe_b64encode(made.derive(bot_token.encode())))

    def seal(self, ticket: Ticket) -> Receipt:
        """Return the receipt of an interaction."""
        kept = json.dumps([str(ticket.interaction), ticket.token, ticket.header])
        return Receipt(self._box.encrypt(kept.encode()).decode())

    def open(self, receipt: Receipt) -> Ticket | None:
        """Return the interaction; None for no receipt, or one that another bot token has sealed."""
        if receipt == NO_RECEIPT:
            return None
        try:
            interaction, token, header = json.loads(self._box.decrypt(receipt.encode()))
        except (InvalidToken, binascii.Error):
            return None
        return Ticket(int(interaction), token, header)
