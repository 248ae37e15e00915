"""The tables of what workspaces are: links, installations, accounts, seats. The queue's are in `tables`."""

from datetime import datetime

from sqlalchemy import false
from sqlmodel import Field

from core.store.tables import Row


class LinkRow(Row, table=True):
    """A channel's project; with an empty channel, its workspace's."""

    __tablename__ = "links"

    platform: str = Field(primary_key=True)
    workspace: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    project: str
    linked_by: str
    linked_at: datetime
    answers_all: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class InstallationRow(Row, table=True):
    """A workspace, or an organisation, that has installed the app. Columns are those of `Installation`."""

    __tablename__ = "installations"

    platform: str = Field(primary_key=True)
    workspace: str = Field(primary_key=True)
    organisation: str
    name: str
    bot_id: str
    bot_user: str
    token: str
    installed_by: str
    since: datetime


class DepartureRow(Row, table=True):
    """When a workspace removed the app."""

    __tablename__ = "departures"

    platform: str = Field(primary_key=True)
    workspace: str = Field(primary_key=True)
    left_at: datetime


class SpentRow(Row, table=True):
    """What counts once, and has been used; remembered for as long as it would count."""

    __tablename__ = "spent"

    once: str = Field(primary_key=True)
    until: datetime


class AccountRow(Row, table=True):
    """A workspace's own API key, sealed, and what it may be used for; `projects` are parted by spaces."""

    __tablename__ = "accounts"

    platform: str = Field(primary_key=True)
    workspace: str = Field(primary_key=True)
    sealed: str
    lane: str
    ending: str
    projects: str
    set_by: str
    set_at: datetime
    person: int | None = None
    channel: int | None = None
    waiting: int | None = None


class SeatRow(Row, table=True):
    """What one process at a time may do, and which one does it. Columns are those of `core.model.Seat`."""

    __tablename__ = "seats"

    name: str = Field(primary_key=True)
    holder: str
    fence: int
    since: datetime
    until: datetime
