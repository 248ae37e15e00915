"""What reaches Slack from an answer, and what reaches the assistant from Slack."""

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from slack_sdk.models.blocks import MarkdownBlock

from bots.slack.links import harmless
from bots.slack.markup import BLOCK_LIMIT, PART_LIMIT, TEXT_LIMIT, as_text, fallback, parts
from bots.slack.mrkdwn import mentions, mentions_other, plain

LIVE = re.compile(r"<(?:![ceghs]|[@#][A-Za-z])")
MENTIONS = [
    "<!channel>",
    "<!here>",
    "<!everyone|all>",
    "<!subteam^S012AB>",
    "<@U012AB>",
    "<@W012AB>",
    "<#C012AB|general>",
]
LINKS = ["[a](https://evil.example/x)", "[a](javascript:x)", "[a](slack://open)", "![a](https://i.example)"]
READER = MarkdownIt("commonmark", {"html": False}).enable("table")

pieces = st.sampled_from([
    *MENTIONS, *LINKS, "<", "<!", "@U012AB>", "[", "]", "(x:y)", "](https://e.com)", "!", "`", "```\n", "\n",
    "\n\n", "> ", "- ", "| ", "|--|\n", "\\", "&lt;", "# ", "    ", "~~~\n", "a", "word ", "[1]: x:y\n",
    "[1]", "<x:y>", "<a@b.c>",
])  # fmt: skip
answers = st.lists(pieces, max_size=40).map("".join)


def links_in(markdown: str) -> list[str]:
    """The addresses of links and images, by a parser of its own."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.validateLink = bool  # type: ignore[assignment, method-assign]  # to see those it would leave out
    found: list[Token] = [child for token in reader.parse(markdown) for child in token.children or []]
    return [
        str(token.attrs.get("href", token.attrs.get("src")))
        for token in found
        if token.type in {"link_open", "image"}
    ]


@given(answers)
@example("<[!channel](x:y)>")
@example("[[a](x:y)](https://e.com)")
@example("| `[a](x:y)` \\| | [a](x:y) |\n|--|--|\n| [a](x:y) | `[a](x:y)` |")
def test_nothing_in_an_answer_pings_and_only_web_links_stay(answer: str) -> None:
    for part in parts(answer):
        assert LIVE.search(html.unescape(part)) is None
        assert LIVE.search(fallback(part)) is None
        assert all(LIVE.search(piece) is None for piece in as_text(part))
        assert all(address.startswith("https://") for address in links_in(part))
        assert "![" not in re.sub(r"`[^`]*`", "", part) or not re.search(r"<img", READER.render(part))


@given(answers)
def test_what_is_harmless_stays_so(answer: str) -> None:
    assert harmless(harmless(answer)) == harmless(answer)


@given(st.text("abc \n#*-1.>`", max_size=200))
def test_markdown_without_links_and_mentions_stays_byte_for_byte(answer: str) -> None:
    assert harmless(answer) == answer


@given(
    st.lists(
        st.sampled_from(
            ["## H", "para words", "- a\n- b", "---", "```\nx\n```", "| a |\n|--|\n| b |", "> # H\n> > p"]
        ),
        max_size=150,
    )
)
def test_every_part_is_a_block_slack_takes(blocks: list[str]) -> None:
    for part in parts("\n\n".join(blocks)):
        block = MarkdownBlock(text=part)
        block.validate_json()
        assert block.to_dict() == {"type": "markdown", "text": part}
        assert len(part) <= PART_LIMIT
        tokens = READER.parse(part)
        assert sum(token.level == 0 and token.nesting >= 0 for token in tokens) <= BLOCK_LIMIT


@given(st.text(max_size=3000).map(lambda text: text * 5))
def test_long_answers_of_any_text_fit(answer: str) -> None:
    for part in parts(answer):
        MarkdownBlock(text=part).validate_json()
        assert 0 < len(fallback(part)) <= TEXT_LIMIT
        assert all(len(piece) <= TEXT_LIMIT for piece in as_text(part))


@pytest.mark.parametrize("mention", MENTIONS)
def test_a_mention_is_broken_invisibly_in_words_and_in_code(mention: str) -> None:
    broken = mention.replace("<", "<\u2060")
    assert parts(f"Ask {mention} or `{mention}`:\n```\n{mention}\n```") == [
        f"Ask {broken} or `{broken}`:\n```\n{broken}\n```"
    ]


@pytest.mark.parametrize(
    "kept", ["<!DOCTYPE html>", "a <- b", "x < @y", "List<String>", "@here", "me@example.com"]
)
def test_other_angle_brackets_stay(kept: str) -> None:
    assert parts(f"`{kept}` {kept}") == [f"`{kept}` {kept}"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[docs](https://a.example/x)", "[docs](https://a.example/x) (a.example)"),
        ('[docs](https://a.example "t")', '[docs](https://a.example "t") (a.example)'),
        ("[docs](https://a.example) (a.example)", "[docs](https://a.example) (a.example)"),
        ("[a.example](https://a.example/x)", "[a.example](https://a.example/x)"),
        ("[the A.example site](https://a.example/x)", "[the A.example site](https://a.example/x)"),
        ("[github.com](https://evil.example)", "[github.com](https://evil.example) (evil.example)"),
        ("[git.com/e.example](http://e.example)", "[git.com/e.example](http://e.example) (e.example)"),
        ("[git.com\u202e](https://evil.example)", "[git.com](https://evil.example) (evil.example)"),
        ("[x](https://gіthub.com)", "[x](https://gіthub.com) (xn--gthub-n2e.com)"),
        ("[x](https://git.com@evil.example)", "x (`https://git.com@evil.example`)"),
        ("[x](https://evil.example\\\\@git.com)", "x (`https://evil.example\\@git.com`)"),
        ("[x](https://git&#46;com)", "[x](https://git.com) (git.com)"),
        ("[x](https://" + "ü" * 80 + ".de)", "x (`https://" + "ü" * 80 + ".de`)"),
        ("[x](javascript:alert`1`)", "x (`javascript:alert1`)"),
        ("[x](slack://open)", "x (`slack://open`)"),
        ("[](slack://open)", "`slack://open`"),
        ("[x](docs/a.md)", "x (`docs/a.md`)"),
        ("<mailto:a@b.example>", "`mailto:a@b.example`"),
        ("<https://a.example>", "<https://a.example>"),
        ("![pic](https://i.example/p.png)", "[pic](https://i.example/p.png) (i.example)"),
        ("![](https://i.example)", "[i.example](https://i.example)"),
        ("!![p](https://i.example)", "!\u2060[p](https://i.example) (i.example)"),
        ("[![alt](https://i.example/p.png)](https://a.example)", "[alt](https://a.example) (a.example)"),
        ("![a [b](https://c.de)](https://i.de)", "[a [b](https://c.de) (c.de)](https://i.de) (i.de)"),
        ("`[x](slack://open)`", "`[x](slack://open)`"),
        ("```\n[x](slack://open)\n```", "```\n[x](slack://open)\n```"),
        ("> see [a\n> b](slack://open)", "> see a\n> b (`slack://open`)"),
        ("see [x](\n'docs)\n", "see x (`'docs`)\n"),
        ("see [x](\nslack:open) now", "see x (`slack:open`) now"),
        ("- # [x](slack:a) #\n", "- # x (`slack:a`) #\n"),
        ("| [x](slack:a) | `[x](slack:a)` |\n|--|--|", "| x (`slack:a`) | `[x](slack:a)` |\n|--|--|"),
        ("| [x\\|y](slack:a) |\n|--|", "| x\\|y (`slack:a`) |\n|--|"),
        ("[x]\n\n[x]: <https://a.de/(y>", "[x](https://a.de/%28y) (a.de)\n\n[x]: <https://a.de/(y>"),
        ("> [x](\n> slack:a) b\n> c\n\nd", "> x (`slack:a`) b\n> c\n\nd"),
    ],
)  # fmt: skip
def test_links_tell_where_they_lead(written: str, told: str) -> None:
    assert harmless(written) == told


def test_brackets_without_end_lead_nowhere() -> None:
    nested = "[a](x:y)"
    for _ in range(6):
        nested = f"[{nested}](x:y)"
    assert links_in(harmless(nested)) == []


def test_a_cell_that_cannot_be_told_apart_has_no_link() -> None:
    told = harmless("| [a](x:y) \\| b | c |\n|--|--|\n| d\t[a](x:y) | ` \\| `` | |")
    assert links_in(told) == []


def test_many_small_blocks_become_several_messages() -> None:
    answer = "\n\n".join(f"## Heading {n}\n\nText {n}." for n in range(50))
    assert len(parts(answer)) == 3
    assert parts("\n".join(f"- item {n}" for n in range(300))) == [
        "\n".join(f"- item {n}" for n in range(300))
    ]
    assert len(parts("\n\n".join(f"- item\n\n  ```\n  {n}\n  ```" for n in range(40)))) > 1


def test_long_words_are_cut_by_their_length() -> None:
    answer = "\n\n".join(f"{n} " + "lorem ipsum " * 100 for n in range(30))
    assert [len(part) > PART_LIMIT - 1300 for part in parts(answer)] == [True, True, True, False]


def test_a_long_table_is_cut_where_slack_would_refuse_it() -> None:
    head = "| service | calls |\n|---|--:|\n"
    pieces = parts(head + "\n".join(f"| s{n} | {n} |" for n in range(250)))
    assert [piece.startswith(head) for piece in pieces] == [True] * 3
    assert max(piece.count("\n") for piece in pieces) == 100


def test_a_wide_table_becomes_aligned_text() -> None:
    columns = range(21)
    table = "\n".join("| " + " | ".join(row) + " |" for row in (
        [f"c{n}" for n in columns], ["--"] * 21, ["字e\u0301"] * 20 + ["```"],
    ))  # fmt: skip
    (part,) = parts(f"Before:\n\n{table}\n\nafter")
    lines = part.split("\n")
    assert lines[2] == lines[5] == "````"
    assert lines[3].startswith("c0   c1   c2 ")
    assert lines[4].startswith("字e\u0301  字e\u0301 ")


def test_a_table_slack_can_show_stays_a_table() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    assert parts(table) == [table]


def test_the_notification_is_cut_and_the_retry_is_whole() -> None:
    part = "a < b & c > d " * 700
    assert len(fallback(part)) <= TEXT_LIMIT
    assert fallback(part).endswith("…")
    assert fallback("a < b", limit=60) == "a &lt; b"
    assert "".join(html.unescape("".join(as_text(part))).split()) == "".join(part.split())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<@U0BOT> who calls billing?", "who calls billing?"),
        ("<@U0BOT>: who calls <@U0BOT> now", "who calls now"),
        ("thanks <@U0BOT|threadline>", "thanks"),
        ("<@U0BOT>", ""),
        ("ask <@U123> and <@W9|ada>", "ask @U123 and @ada"),
        ("in <#C123|general> or <#C123>", "in #general or #C123"),
        ("<!here> <!channel|@channel> <!subteam^S1|@ops> <!subteam^S1>", "@here @channel @ops @S1"),
        ("<!date^1392734382^{date}|18 February>", "18 February"),
        ("see <https://a.example/x|the docs>", "see the docs (https://a.example/x)"),
        (
            "see <https://a.example/x> <http://b.example|b.example>",
            "see https://a.example/x http://b.example",
        ),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("a &lt;b&gt; &amp;amp; c &amp;lt;", "a <b> &amp; c &lt;"),
        ("  a\r\nb\0 \ud800 ", "a\nb \ufffd"),
        ("x <not a token> y", "x <not a token> y"),
    ],
)
def test_slack_text_is_readable(text: str, read: str) -> None:
    assert plain(text, "U0BOT") == read


@given(st.text("<>@!#|&;UC0 a:\n^", max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    assert plain(text, "U0") == plain(text, "U0").strip()


def test_who_is_mentioned() -> None:
    text = "<@U0BOT> ask <@U123|ada> &lt;@U9&gt;"
    assert mentions(text, "U0BOT")
    assert mentions(text, "U123")
    assert not mentions(text, "U9")
    assert mentions_other(text, "U0BOT")
    assert not mentions_other("<@U0BOT> hi <#C1>", "U0BOT")
