"""What a thread is called that is opened for a question."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bots import texts
from bots.discord.opening import thread_name

SPACES = ["\n", "\r", "\t", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\u00a0", "\u3000", "\0", "\u200b"]
pieces = st.sampled_from([
    *SPACES, " ", "<@1>", "<@!1>", "<@&2>", "<#3>", "<:smile:4>", "<a:wave:5>", "</ask:6>", "<t:1:R>", "**",
    "`", "#", ">", "~~", "|", "_", ":", ",", "<", "@everyone", "who", "calls", "billing?", "x" * 120,
    "字" * 60, "😀",
])  # fmt: skip


@given(st.text(max_size=400) | st.lists(pieces, max_size=40).map("".join))
@example("")
@example("<@1>\nsecond line")
@example("x" * 4_000)
@example(" " * 200)
@example("a" * 89 + " b" * 50)
@example(", " * 100)
def test_a_name_is_one_that_discord_takes_whatever_was_asked(question: str) -> None:
    name = thread_name(question)
    assert 1 <= len(name.strip()) <= len(name) <= 100
    assert len(name.splitlines()) == 1
    assert name.strip() == " ".join(name.split())


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("who calls billing?", "who calls billing?"),
        ("  who\tcalls   billing? ", "who calls billing?"),
        ("who calls billing?\nAnd who publishes?", "who calls billing?"),
        ("\n\nwho calls billing?", "who calls billing?"),
        ("**who** calls `billing`?", "who calls billing ?"),
        ("# Who calls *billing*", "Who calls billing"),
        ("> who calls it", "who calls it"),
        ("ask <@1> and <@!2>, <@&3> in <#4> <a:wave:5>", "ask and , in"),
        ("see <https://a.example/x>", "see"),
        ("a <b and c> d", "a <b and c d"),
        (": who?", "who?"),
        ("<@123>", texts.THREAD_NAME),
        ("", texts.THREAD_NAME),
        ("***", texts.THREAD_NAME),
        ("x" * 90, "x" * 90),
        ("x" * 91, "x" * 90 + " …"),
        ("word " * 18, ("word " * 18).strip()),
        ("word " * 40, ("word " * 17 + "word").strip() + " …"),
        ("who calls billing, " * 8, "who calls billing, " * 4 + "who calls …"),
    ],
)
def test_a_name_is_the_beginning_of_the_question(question: str, name: str) -> None:
    assert thread_name(question) == name


def test_a_name_is_cut_between_words_and_says_so() -> None:
    assert thread_name("consumer " * 30) == "consumer " * 10 + "…"
