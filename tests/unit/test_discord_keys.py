"""Where conversations are on Discord, and how our messages are known again: ids in, ids out."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bots.discord.keys import (
    DIRECT,
    Kind,
    moved,
    nonce,
    queued_nonce,
    spot,
    thread_key,
    workspace,
)
from bots.wiring import new_delivery_id
from core.model import AnswerPart, DeliveryId, Notice, Reason, WorkspaceId

ACME = WorkspaceId("80351110224678912")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FAR = datetime(2200, 1, 1, tzinfo=UTC)
LONGEST = 2**64 - 1  # a snowflake has 64 bits

snowflakes = st.integers(1, LONGEST)
deliveries = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=20).map(DeliveryId)


@given(st.sampled_from(Kind), snowflakes, snowflakes)
def test_a_key_says_again_what_it_was_made_of(kind: Kind, channel: int, place: int) -> None:
    found = spot(thread_key(ACME, channel, place, kind))
    assert (found.kind, found.channel, found.id) == (kind, channel, place)
    assert found.is_direct is (channel == place)


def test_keys_of_different_kinds_are_different_conversations() -> None:
    assert len({thread_key(ACME, 1, 2, kind) for kind in Kind}) == len(Kind)


def test_direct_messages_are_a_workspace_of_their_own() -> None:
    assert workspace(None) == DIRECT
    assert workspace(int(ACME)) == ACME


def test_a_conversation_goes_on_in_the_thread_opened_for_it() -> None:
    begun = thread_key(ACME, 1, 2, Kind.BEGUN)
    assert moved(begun, 3) == thread_key(ACME, 1, 3)


def test_a_post_has_a_nonce_of_its_own_the_same_each_time() -> None:
    delivery = new_delivery_id(FAR)
    pieces: list[AnswerPart | Notice] = [
        *(AnswerPart(number, "words") for number in range(500)),
        *map(Notice, Reason),
    ]
    made = [nonce(delivery, piece) for piece in pieces]
    assert len(set(made)) == len(pieces)
    assert made == [nonce(delivery, piece) for piece in pieces]
    assert max(map(len, made)) <= 25
    assert nonce(delivery, AnswerPart(0, "other words", posted="1", last=False)) == made[0]
    assert nonce(DeliveryId("d2"), AnswerPart(0, "words")) not in made


def test_a_wait_is_told_once_and_another_one_again() -> None:
    delivery = new_delivery_id(FAR)
    told = queued_nonce(delivery, NOW)
    assert told == queued_nonce(delivery, NOW)
    assert told != queued_nonce(delivery, NOW + timedelta(seconds=60))
    assert len(told) <= 25
    others: list[AnswerPart | Notice] = [
        *map(Notice, Reason),
        *(AnswerPart(number, "words") for number in range(500)),
    ]
    assert told not in {nonce(delivery, other) for other in others}
