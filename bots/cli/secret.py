"""`threadline secret`: make a key for THREADLINE_SECRET_KEY. It is shown once and kept nowhere."""

import typer
from cryptography.fernet import Fernet


def secret() -> None:
    """Make a key for THREADLINE_SECRET_KEY: it seals tokens and API keys in the database."""
    typer.echo(Fernet.generate_key().decode())
