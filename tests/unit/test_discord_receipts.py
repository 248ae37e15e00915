"""Receipts: what stands in the database instead of an interaction's token."""

import base64
from datetime import UTC, datetime, timedelta

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.discord.receipts import LIFE, Receipts, Ticket
from bots.discord.replies import Replies
from core.model import NO_RECEIPT, Receipt

MADE_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
TICKET = Ticket(
    discord.utils.time_snowflake(MADE_AT), "aW50ZXJhY3Rpb246canary", "<@1> asked: who calls billing?"
)
OURS = Receipts("bot.token.ours")


@settings(max_examples=25)
@given(st.integers(1, 2**64 - 1), st.text(max_size=300), st.text(max_size=2_000))
def test_what_was_sealed_is_opened_as_it_was(interaction: int, token: str, header: str) -> None:
    ticket = Ticket(interaction, token, header)
    assert OURS.open(OURS.seal(ticket)) == ticket


def test_a_restart_opens_what_was_sealed_before_it() -> None:
    assert Receipts("bot.token.ours").open(OURS.seal(TICKET)) == TICKET


def test_who_reads_the_database_reads_neither_the_token_nor_what_was_asked() -> None:
    sealed = OURS.seal(TICKET)
    inside = base64.urlsafe_b64decode(sealed)
    for secret in (TICKET.token, TICKET.header, str(TICKET.interaction), "canary", "billing"):
        assert secret not in sealed
        assert secret.encode() not in inside
        assert base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=") not in sealed


def test_two_receipts_of_one_interaction_do_not_show_that_they_are() -> None:
    assert OURS.seal(TICKET) != OURS.seal(TICKET)


def test_another_bot_token_opens_nothing() -> None:
    assert Receipts("bot.token.reset").open(OURS.seal(TICKET)) is None


def test_no_receipt_is_no_ticket() -> None:
    assert OURS.open(NO_RECEIPT) is None


@pytest.mark.parametrize("written", ["x", "=", "gAAAAA", "not base64!", "ä", " ", "\0"])
def test_what_is_no_receipt_opens_nothing(written: str) -> None:
    assert OURS.open(Receipt(written)) is None


@given(st.integers(0, 10_000))
def test_a_receipt_that_was_tampered_with_opens_nothing(where: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(OURS.seal(TICKET)))
    raw[where % len(raw)] ^= 1
    assert OURS.open(Receipt(base64.urlsafe_b64encode(raw).decode())) is None


def test_it_ends_fifteen_minutes_after_the_interaction_was_made() -> None:
    assert timedelta(minutes=15) == LIFE
    assert TICKET.expires_at == MADE_AT + timedelta(minutes=15)
    assert TICKET.expires_at.utcoffset() == timedelta()


def test_a_header_that_no_encoding_has_a_place_for_is_sealed_all_the_same() -> None:
    ours = Receipts("a")
    opened = ours.open(ours.seal(Ticket(1, "t", "asked: \ud800")))
    assert opened is not None
    assert opened.header == "asked: \ud800"


def test_only_the_newest_of_the_messages_that_show_questions_are_remembered() -> None:
    replies = Replies(discord.Client(intents=discord.Intents.none()))
    for message in range(1, 10_002):
        replies.note(message, Ticket(message + 1, "token", "who?"))
    assert replies.shows(1) is None
    assert (replies.shows(2), replies.shows(10_001)) == (3, 10_002)
