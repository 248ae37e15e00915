"""What reaches Discord from an answer: all of it, in messages it takes, and nothing live in them."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bots.discord.blocks import TABLE_WIDTH
from bots.discord.markup import (
    BYTE_LIMIT,
    FIRST_MESSAGES,
    MESSAGE_LIMIT,
    MOST_MESSAGES,
    PART_LIMIT,
    is_file,
    parts,
)
from bots.slack import markup as slack

CODE = re.compile(
    r"```(?:[\w+.#-]+\n)?\n*[^\n].*?\n*```|\\[^0-9A-Za-z\s]|<https?://[^\s<>]*>|(`+).*?[^`]\1(?!`)", re.DOTALL
)
LIVE = re.compile(
    r"<(?:@[!&]?\d|#\d|a?:\w+:\d|t:-?\d|id:\w|/\w[^>]*:\d)|@everyone|@here|\|\|.+\|\|"
    r"|^(?:> )?(?:[-*] )*-# |^ *>>> |https?://|steam://",
    re.MULTILINE | re.DOTALL,
)
TOKENS = [
    "<@123>", "<@!123>", "<@&123>", "<#123>", "<:cat:123>", "<a:cat:123>", "<t:1700000000:R>", "<id:guide>",
    "</ask:123>", "@everyone", "@here", "||spoiler||", "||", "-# small", ">>> all", "steam://run/1",
]  # fmt: skip
words = st.integers(0, 99).map("w{}".format)
phrases = st.lists(words, min_size=1, max_size=12).map(" ".join)
spans = st.one_of(
    phrases,
    st.tuples(st.sampled_from(["`", "``", "*", "**", "***", "~~", "_"]), phrases).map(
        lambda s: s[0] + s[1] + s[0]
    ),
    st.tuples(words, words).map(lambda w: f"[{w[0]}](https://{w[1]}.example/a_b)"),
    words.map("https://a.example/{}.".format),
    st.sampled_from(
        [*TOKENS, *(f"`{token}`" for token in TOKENS), "👩‍👩‍👧", "שלום \u202e", "字", "a_b", "*", "`"]
    ),
)
lines = st.lists(spans, min_size=1, max_size=8).map(" ".join)
paragraphs = st.lists(lines, min_size=1, max_size=3).map("\n".join)
fences = st.tuples(
    st.sampled_from(["```", "````", "~~~"]),
    st.sampled_from(["", "py", "sh x=1", "{.c}"]),
    st.lists(phrases, max_size=9),
).map(lambda f: "\n".join([f[0] + f[1], *f[2], f[0]]))  # fmt: skip
tables = st.lists(st.tuples(words, words), min_size=1, max_size=80).map(
    lambda rows: "\n".join(["| a | b |", "|---|:-:|", *(f"| {a} | {b} |" for a, b in rows)])
)


def listed(block: str) -> str:
    return "- " + block.replace("\n", "\n  ")


def quoted(block: str) -> str:
    return "> " + block.replace("\n", "\n> ")


simple = st.one_of(paragraphs, fences, tables, phrases.map("### {}".format), phrases.map("##### {}".format))
nested = st.recursive(simple, lambda inner: st.one_of(inner.map(listed), inner.map(quoted)), max_leaves=4)
long_lines = st.tuples(phrases, st.integers(1, 80)).map(lambda line: " ".join([line[0]] * line[1]))
answers = st.lists(st.one_of(nested, nested, long_lines), max_size=8).map("\n\n".join)
noise = st.lists(
    st.sampled_from([
        *TOKENS, "`", "``", "```", "```\n", "\n", "\n\n", "> ", "- ", "  ", "| ", "|--|\n", "\\", "*", "**",
        "_", "~~", "[", "](", ")", "<", "https://", "a.de", "# ", "~~~\n", "word ", "1. ", "<br>",
    ]),
    max_size=60,
).map("".join)  # fmt: skip


def fit(part: str) -> bool:
    return len(part.encode("utf-16-le")) <= 2 * PART_LIMIT and len(part.encode()) <= BYTE_LIMIT


def live(part: str) -> list[str]:
    return LIVE.findall(CODE.sub("·", part))


def fence_marks(part: str) -> int:
    return sum(line.removeprefix("> ").startswith("```") for line in part.split("\n"))


def is_within(some: list[str], many: list[str]) -> bool:
    there = iter(many)
    return all(one in there for one in some)


def told(messages: list[str]) -> list[str]:
    return re.findall(r"w\d+", messages[-1] if messages and is_file(messages[-1]) else "\n".join(messages))


@settings(deadline=None, max_examples=80)
@given(answers)
def test_an_answer_arrives_whole_in_messages_that_discord_takes(answer: str) -> None:
    messages = parts(answer)
    assert is_within(re.findall(r"w\d+", answer), told(messages))
    assert len(messages) <= MOST_MESSAGES
    for part in messages:
        assert is_file(part) or (part.strip() and fit(part))
        assert is_file(part) or fence_marks(part) % 2 == 0
        assert is_file(part) or live(part) == []


@settings(deadline=None, max_examples=150)
@given(noise, st.integers(1, 12))
@example("`" + "a <@1> @here ||x|| " * 150 + "`", 1)
@example("[a](https://x/" + "y" * 3000 + ")", 1)
@example("```\n```\n<@1>\n```\n<@1>\n```", 1)
def test_nonsense_has_nothing_live_either(answer: str, times: int) -> None:
    messages = parts(answer * times)
    assert bool(messages) == bool(answer.strip())
    assert all(is_file(part) or (fit(part) and live(part) == []) for part in messages)


@given(st.text(max_size=400).map(lambda text: text * 5))
def test_any_text_fits(answer: str) -> None:
    assert all(is_file(part) or fit(part) for part in parts(answer))


@pytest.mark.parametrize("token", TOKENS[:11])
def test_a_token_is_broken_in_words_and_literal_in_code(token: str) -> None:
    (part,) = parts(f"Ask {token} or `{token}`:\n```\n{token}\n```")
    assert part.count(token) == 2
    assert part.replace("\u2060", "").count(token) == 3


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("# A\n## B\n### C", "# A\n## B\n### C"),
        ("#### A **b** `c`", "**A b `c`**"),
        ("# C#", "# C\\#"),
        ("Title\nmore\n=====", "# Title more"),
        ("#", "\\#"),
        ("- # in a list", "- **in a list**"),
        ("* a\n    * b\n      * c\n+ d", "- a\n  - b\n    - c\n- d"),
        ("3) a\n   - b\n4) c\n\n   d", "3. a\n  - b\n4. c\n  d"),
        ("- [ ] a\n- [x] b\n- [X] c\n- [y] d", "- ☐ a\n- ☑ b\n- ☑ c\n- \\[y] d"),
        ("- a\n\n  ```py\n  x\n  ```\n- b", "- a\n```py\nx\n```\n- b"),
        ("1. ```\n   x\n   ```", "1.\n```\nx\n```"),
        ("- ```\n  x\n  ```\n-", "```\nx\n```\n-"),
        ("- a\n  > b", "- a\n> b"),
        ("> a\n> > b\n>\n> ```\n> c\n> ```", "> a\n> b\n> \n> ```\n> c\n> ```"),
        ("a\n\n***\n\nb", "a\n\n────────────\n\nb"),
        ("    code", "```\ncode\n```"),
        ("~~~sh title=x\nls\n~~~", "`title=x`\n```sh\nls\n```"),
        ("```{.c}\n\n```", "`{.c}`\n```\n \n```"),
        ("````md\n```py\n````", "```md\n``\u2060`py\n```"),
        ("*a* _b_ **c** __d__ ~~e~~", "*a* *b* **c** **d** ~~e~~"),
        ("***a*** **b *c*** *d **e***", "_**a**_ **b *c*** _d **e**_"),
        ("**a **b** c** *a `*_`* ~~a `~~`~~ ~~a\\~~~", "**a b c** a `*_` a `~~` a\\~"),
        ("**a `**`**", "a `**`"),
        ("`` a`b `` `` ` `` ```a``b```", "``a`b`` `` ` `` ``a`\u2060`b``"),
        ("a_b \\_c\\_ 5 * 3 ~5 \\~~x C:\\x", "a_b \\_c\\_ 5 \\* 3 ~5 \\~\\~x C:\\\\x"),
        ("\\- a\n\\# b\n\\> c", "\\- a\n\\# b\n\\> c"),
        ("a  \nb\\\nc<br>d", "a\nb\nc\nd"),
        ("<b>x</b> <!-- y -->", "<b>x<\u2060/b> <!-- y -->"),
        ("||s|| a || b", "\\|\\|s\\|\\| a \\|\\| b"),
        ("-# small", "\\-# small"),
        ("a\0\r\nb\ud800", "a\nb\ufffd"),
        ("x\ufdd0y", "x\ufffdy"),
    ],
)
def test_each_kind_of_block_and_mark_in_discords_dialect(written: str, shown: str) -> None:
    assert parts(written) == [shown]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[docs](https://a.example/x)", "[docs](<https://a.example/x>) (a.example)"),
        ("[a.example](https://a.example/x)", "[a.example](<https://a.example/x>)"),
        ('[the `d`](https://a.example "t_")', "[the `d`](<https://a.example>) (a.example, “t\\_”)"),
        ('[a.example](https://a.example "t")', "[a.example](<https://a.example>) (“t”)"),
        ("[github.com](https://evil.example)", "[github.com](<https://evil.example>) (evil.example)"),
        ("[https://good.de](https://evil.de)", "<https://good.de> (<https://evil.de>)"),
        ("[https://a.de](https://a.de)", "<https://a.de>"),
        ("[a\nb](https://a.de)", "[a b](<https://a.de>) (a.de)"),
        ("[a [b]](https://a.de)", "a \\[b] (<https://a.de>)"),
        ("\u202e [x\u202e](https://a.de)", " [x](<https://a.de>) (a.de)"),
        ("[x](<https://a.de/(y) \\\\|@here>)", "[x](<https://a.de/%28y%29%20%5C%7C%40here>) (a.de)"),
        ("[x](https://git.com@evil.example)", "x (`https://git.com@evil.example`)"),
        ("[x](javascript:y) [](slack://z)", "x (`javascript:y`) `slack://z`"),
        ("![pic](https://i.de/p.png) ![](https://i.de)", "[pic](<https://i.de/p.png>) (i.de) <https://i.de>"),
        ("[![alt](https://i.de)](https://a.de)", "[alt](<https://a.de>) (a.de)"),
        (
            "<https://a.de> <mailto:a@b.de> <a_@b.de>",
            "<https://a.de> <\u2060mailto:a@b.de> <\u2060a\\_@b.de>",
        ),
        ("see (https://a.de/x_(y)). https://b.de!", "see (<https://a.de/x_(y)>). <https://b.de>!"),
        ("https://a.de。 https://x@y.de https://", "<https://a.de>。 `https://x@y.de` https:\u2060//"),
        ("steam://run", "steam:\u2060//run"),
        ("\\[a](<https://e.de>)", "\\[a](<https://e.de>)"),
        ("`[x](https://a.de)`", "`[x](https://a.de)`"),
        ("[a][1]\n\n[1]: https://a.de", "[a](<https://a.de>) (a.de)"),
        ("a\n\n[1]: https://b.de 'T'", "a\n\n\\[1]: <https://b.de> 'T'"),
    ],
)
def test_links_are_the_webs_tell_their_host_and_load_nothing(written: str, shown: str) -> None:
    assert parts(written) == [shown]


def test_a_narrow_table_is_aligned_and_keeps_cells_beyond_its_header() -> None:
    assert parts("| a | **b** |\n|---|---|\n| 1<br>2 | `x \\| y` | more |\n| 字 |") == [
        "```\na       b\n──────────────────\n1 · 2  x | y  more\n字\n```"
    ]


def test_a_long_table_repeats_its_header() -> None:
    rows = "\n".join(f"| service{n} | {n} |" for n in range(200))
    messages = parts(f"| name | calls |\n|---|---|\n{rows}")
    assert len(messages) == 3
    assert all(part.startswith("```\nname ") for part in messages)
    assert re.findall(r"service\d+", "".join(messages)) == [f"service{n}" for n in range(200)]


def test_a_wide_table_becomes_records() -> None:
    wide = "x" * (TABLE_WIDTH + 1)
    assert parts(f"| **A** | b | |\n|---|---|---|\n| {wide} | | c |\n| 1 | 2<br>3 | |") == [
        f"- **A**: {wide}\n  **b**: —\n  c\n- **A**: 1\n  **b**: 2 · 3"
    ]
    assert parts(f"| {wide} | b |\n|---|---|") == [f"**{wide}** · **b**"]


def test_a_table_with_links_becomes_records_where_they_can_be_followed() -> None:
    assert parts("- x\n\n  | a |\n  |---|\n  | https://a.de |") == ["- x\n  - **a**: <https://a.de>"]


def test_blocks_nested_beyond_measure_are_shown_as_they_are_written() -> None:
    (part,) = parts(">" * 100 + " deep <@1>")
    assert part.replace("\\", "") == ">" * 100 + " deep <\u2060@1>"


@pytest.mark.parametrize("blank", ["", " \n\t", "\0"])
def test_a_blank_answer_has_no_parts(blank: str) -> None:
    assert parts(blank) == []


def test_a_word_longer_than_a_message_is_cut_and_whole() -> None:
    messages = parts("😀" * 2_000)
    assert "".join(messages) == "😀" * 2_000
    assert all(map(fit, messages))


def test_code_and_links_are_not_cut_where_a_space_is_near() -> None:
    messages = parts(" ".join(["`a b c d e f`", "[x y z](https://a.de)", "**b c d e f**"] * 60))
    assert len(messages) > 1
    assert all(part.count("`") % 2 == 0 and part.count("**") % 2 == 0 for part in messages)
    assert all(part.count("[") == part.count("](<https://a.de>) (a.de)") for part in messages)


def test_a_very_long_answer_is_a_file_after_its_first_messages() -> None:
    answer = "\n\n".join(f"Paragraph {n}: | a `b`" for n in range(900))
    messages = parts(answer)
    assert len(messages) == FIRST_MESSAGES + 1
    assert messages[-1] == answer
    assert list(map(is_file, messages)) == [False] * FIRST_MESSAGES + [True]
    assert messages[2].startswith(f"Paragraph {messages[0].count('Para') + messages[1].count('Para')}:")


def test_a_short_answer_that_grows_is_a_file_as_discord_would_show_it() -> None:
    answer = f"| {'h' * 1000} | b |\n|--|--|\n" + "| 1 | 2 |\n" * 60
    assert len(answer) < MESSAGE_LIMIT
    messages = parts(answer)
    assert len(messages) == FIRST_MESSAGES + 1
    assert messages[-1].count("**b**: 2") == 60


def nine_thousand() -> str:
    steps = "\n".join(
        f"{n}. step{n} {'does this and that ' * 7}\n   - detail{n} {'in depth ' * 8}\n     - finer{n}"
        for n in range(1, 23)
    )
    table = "\n".join(["| name | calls |", "|---|--:|", *(f"| row{n} | {n} |" for n in range(40))])
    code = [
        f"```{name}\n" + "\n".join(f"call_{name}_{n}(x, y)  # {'why ' * 4}" for n in range(28)) + "\n```"
        for name in ("python", "sql", "")
    ]
    return "\n\n".join(["# Plan", steps, "## Numbers", table, "## Code", *code, "That is all."])


def test_nine_thousand_characters_arrive_whole_on_both_platforms() -> None:
    answer = nine_thousand()
    assert 8_500 < len(answer) < 9_500
    for messages in (parts(answer), slack.parts(answer)):
        assert all(fence_marks(part) % 2 == 0 for part in messages)
        assert is_within(re.findall(r"\w+", answer), re.findall(r"\w+", "\n".join(messages)))
    assert len(parts(answer)) <= MOST_MESSAGES + 1
    assert all(len(part) <= slack.PART_LIMIT for part in slack.parts(answer))
