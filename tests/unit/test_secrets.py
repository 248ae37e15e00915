"""What is sealed in the database, and who can open it."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from bots.settings import load
from core.errors import SealUnbroken
from core.store.secrets import Cipher
from tests.fixtures.commands import invoke

OLD, NEW, FOREIGN = (Fernet.generate_key().decode() for _ in range(3))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_is_opened_and_cannot_be_read_meanwhile(plain: str) -> None:
    cipher = Cipher([NEW])
    sealed = cipher.seal(plain)
    assert cipher.open(sealed) == plain
    assert len(plain) < 4 or plain not in sealed
    assert cipher.seal(plain) != sealed


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    before = Cipher([OLD]).seal("xoxb-1")
    both = Cipher([NEW, OLD])
    assert both.open(before) == "xoxb-1"
    assert Cipher([NEW]).open(both.seal("xoxb-2")) == "xoxb-2"


@pytest.mark.parametrize("sealed", [None, "", "xoxb-1", "gAAAA", "größer"])
def test_without_the_key_it_stays_sealed_and_says_what_to_do(sealed: str | None) -> None:
    sealed = Cipher([OLD]).seal("xoxb-1") if sealed is None else sealed
    with pytest.raises(SealUnbroken, match="THREADLINE_SECRET_KEY") as refused:
        Cipher([NEW, FOREIGN]).open(sealed)
    assert "xoxb" not in str(refused.value)


def test_what_was_tampered_with_is_not_opened() -> None:
    cipher = Cipher([NEW])
    sealed = cipher.seal("xoxb-1")
    swapped = sealed[:30] + ("A" if sealed[30] != "A" else "B") + sealed[31:]
    with pytest.raises(SealUnbroken):
        cipher.open(swapped)


async def test_the_command_makes_a_key_that_the_settings_take_and_never_the_same() -> None:
    made = [(await invoke("secret", env={})).stdout.strip() for _ in range(2)]
    assert made[0] != made[1]
    (key,) = load({"THREADLINE_SECRET_KEY": made[0]}, None, needs=frozenset()).secret_keys
    cipher = Cipher([key.get_secret_value()])
    assert cipher.open(cipher.seal("xoxb-1")) == "xoxb-1"
