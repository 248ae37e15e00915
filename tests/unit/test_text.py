"""What Markdown may be cut into: nothing lost, nothing too long, every fence closed."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.text import SMALLEST_LIMIT, clean, split

COMMONMARK = MarkdownIt("commonmark").enable("table")

words = st.text("abcé字 |*_", min_size=1, max_size=12).map(str.strip).filter(bool)
sentences = st.lists(words, min_size=1, max_size=12).map(" ".join)
marks = st.sampled_from(["```", "~~~", "`````", "~~~~"])


@st.composite
def code(draw: st.DrawFn) -> str:
    mark, info = draw(marks), draw(st.sampled_from(["", "python", "sh title=x"]))
    lines = draw(
        st.lists(
            st.sampled_from(["", "x = 1", "    return y", "``", "a" * 45, "~~", "| a | b |"]), max_size=12
        )
    )
    margin = " " * draw(st.integers(0, 3))
    return "\n".join(margin + line for line in (mark + info, *lines, mark))


@st.composite
def tables(draw: st.DrawFn) -> str:
    rows = draw(st.integers(0, 8))
    return "\n".join(["| name | calls |", "|---|--:|", *(f"| s{row} | {row} |" for row in range(rows))])


def listed(block: str) -> str:
    return "- " + block.replace("\n", "\n  ")


def quoted(block: str) -> str:
    return "> " + block.replace("\n", "\n> ")


plain_blocks = st.one_of(
    sentences, sentences.map("## {}".format), st.lists(sentences, min_size=2).map("\n".join)
)
blocks = st.one_of(
    plain_blocks, code(), tables(), code().map(listed), code().map(quoted), tables().map(listed)
)
documents = st.lists(blocks, max_size=6).map("\n\n".join)
limits = st.integers(SMALLEST_LIMIT, 400)


def unmarked(text: str) -> str:
    return re.sub(r"[\s`~>]", "", text)


def is_within(short: str, long: str) -> bool:
    """Whether the letters of `short` occur in `long` in their order."""
    letters = iter(long)
    return all(letter in letters for letter in short)


def open_fences(markdown: str) -> list[str]:
    """The fences that only the end of the text closes, by an independent parser."""
    lines = markdown.split("\n")
    found = []
    for token in COMMONMARK.parse(markdown):
        if token.type == "fence" and token.map is not None:
            first, end = token.map
            last = lines[end - 1].strip(" >\t")
            if end - first < 2 or set(last) != {token.markup[0]} or len(last) < len(token.markup):
                found.append(markdown)
    return found


@given(documents, limits)
def test_split_loses_nothing_and_never_overflows(markdown: str, limit: int) -> None:
    parts = split(markdown, limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert is_within(unmarked(markdown), unmarked("".join(parts)))


@given(documents, limits)
def test_every_part_closes_its_fences(markdown: str, limit: int) -> None:
    assert [fence for part in split(markdown, limit) for fence in open_fences(part)] == []


@given(st.text("ab`~\n >-|1. \t", max_size=300), st.integers(SMALLEST_LIMIT, 60))
@example("`" * 100, 20)
@example("```" + "x" * 100, 20)
@example("~~~1", 20)
@example(">>>>>> ```\n>>>>>> " + "x" * 30, 24)
@example("```1\n" + "`" * 30, 20)
@example(">" * 60 + "```\n" + ">" * 60 + " x", 20)
@example("```aaaaaaaaaaaaaa `b cccccccc", 20)
@example("> ```\n> 12345678901\na\n" + "b " * 20, 24)
def test_even_nonsense_is_kept_and_never_overflows(markdown: str, limit: int) -> None:
    parts = split(markdown, limit)
    assert all(part.strip() and len(part) <= limit for part in parts)
    assert is_within(unmarked(markdown), unmarked("".join(parts)))


@given(
    st.text(st.characters(exclude_characters="`~|", exclude_categories=["Cs"])),
    st.integers(SMALLEST_LIMIT, 60),
)
def test_without_fences_the_parts_are_the_text_but_for_whitespace(text: str, limit: int) -> None:
    assert "".join("".join(split(text, limit)).split()) == "".join(text.split())


@given(documents, st.integers(60, 400))
def test_another_measure_is_obeyed(markdown: str, limit: int) -> None:
    def in_bytes(text: str) -> int:
        return len(text.encode())

    assert all(in_bytes(part) <= limit for part in split(markdown, limit, in_bytes))


@given(documents)
def test_what_fits_stays_as_it_is(markdown: str) -> None:
    assert split(markdown, 100_000) == ([markdown.rstrip()] if markdown.strip() else [])


@pytest.mark.parametrize("blank", ["", " ", "\n \n\t"])
def test_blank_text_has_no_parts(blank: str) -> None:
    assert split(blank, 100) == []


def test_a_limit_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 20"):
        split("text", SMALLEST_LIMIT - 1)
    with pytest.raises(ValueError, match="not even one character"):
        split("text", 20, lambda text: 21 * len(text))


def test_paragraphs_stay_whole_when_they_can() -> None:
    assert split("one two three\n\nfour five six\nseven", 30) == ["one two three", "four five six\nseven"]


def test_then_lines_then_words_then_letters() -> None:
    assert split("one two three four\nfive six seven", 25) == ["one two three four", "five six seven"]
    assert split("one two three four five six", 20) == ["one two three four", "five six"]
    assert split("x" * 45, 20) == ["x" * 20, "x" * 20, "x" * 5]


def test_a_border_near_the_beginning_does_not_waste_a_part() -> None:
    lines = "\n".join(f"line {n}" for n in range(20))
    assert split(f"Hi.\n\n{lines}", 100)[0].endswith("line 12")


def test_a_heading_stays_with_what_it_heads() -> None:
    assert split("Some words first.\n\n## Title\n\nUnder the title.", 35) == [
        "Some words first.",
        "## Title\n\nUnder the title.",
    ]
    assert split("Some words first.\nMore words here.\n## Title", 36) == [
        "Some words first.\nMore words here.",
        "## Title",
    ]


@pytest.mark.parametrize("mark", ["```", "~~~", "``````"])
def test_cut_code_is_closed_and_opened_again_with_its_info(mark: str) -> None:
    lines = [f"call({n})" for n in range(9)]
    parts = split("\n".join([mark + "python", *lines, mark, "Done."]), 60)
    assert len(parts) > 1
    assert all(part.startswith(mark + "python\n") for part in parts)
    assert all(part.endswith("\n" + mark) for part in parts[:-1])
    assert parts[-1].endswith(f"\n{mark}\nDone.")


def test_code_in_a_list_is_code_in_the_next_part_too() -> None:
    body = "\n".join(f"     call({n})" for n in range(8))
    parts = split(f"1. first\n   - second\n\n     ~~~py\n{body}\n     ~~~\n\n     after", 60)
    assert parts[0] == "1. first\n   - second"
    assert all(part.startswith("~~~py\ncall(") for part in parts[1:])
    assert parts[-1].endswith("~~~\n\nafter")


def test_code_in_a_list_is_closed_inside_the_list() -> None:
    parts = split("12. ```\n" + "\n".join(f"    call({n})" for n in range(8)) + "\n    ```", 60)
    assert parts[0].endswith("\n    call(2)\n    ```")
    assert parts[1].startswith("```\ncall(3)")
    assert split("- ```\n  ls\nout of the list", 60) == ["- ```\n  ls\nout of the list"]


def test_code_in_a_quote_stays_in_the_quote() -> None:
    parts = split("> ```\n" + "\n".join(f"> call({n})" for n in range(8)) + "\n> ```", 50)
    assert all(part.startswith("> ```\n> call(") and part.endswith("\n> ```") for part in parts)


def test_what_continues_a_list_does_not_become_code() -> None:
    items = "\n".join(f"      - item number {n}\n\n        its words" for n in range(4))
    parts = split(f"- a\n   - b\n{items}\n- c", 60)
    assert all(token.type != "code_block" for part in parts for token in COMMONMARK.parse(part))
    assert parts[-1].endswith("\n- c")


def test_an_open_fence_is_closed() -> None:
    assert split("```sh\nls", 50) == ["```sh\nls\n```"]


def test_an_empty_block_is_not_left_behind() -> None:
    assert split("```\n" + "x" * 32 + "\n```\nend", 36) == [
        "```\n" + "x" * 28 + "\n```",
        "```\nxxxx\n```\nend",
    ]
    assert split("```\n" + "x" * 30 + "\n`````\nend", 38) == ["```\n" + "x" * 30 + "\n```", "end"]


def test_a_long_line_of_quoted_code_stays_in_its_quote() -> None:
    assert split("> ```\n> " + "x" * 30 + "\n> ```", 34) == [
        "> ```\n> " + "x" * 20 + "\n> ```",
        "> ```\n> " + "x" * 10 + "\n> ```",
    ]


def test_a_cut_inside_a_line_of_code_keeps_its_spaces() -> None:
    parts = split("```\nfoo(1,  2,  3,  4)\n```", 20)
    assert "".join(part[4:-4] for part in parts) == "foo(1,  2,  3,  4)"


def test_words_are_not_turned_into_blocks_by_a_cut() -> None:
    for part in split("aaaa bbbb cccc ddd ``` eeee ffff - gggg # hhhh", 20):
        assert COMMONMARK.parse(part)[0].type == "paragraph_open"


def test_a_cut_table_repeats_its_header() -> None:
    header = "| name | calls |\n|---|--:|\n"
    parts = split(header + "\n".join(f"| s{n} | {n} |" for n in range(10)) + "\n\nThat is all.", 60)
    assert len(parts) > 2
    assert all(part.startswith(header + "| s") for part in parts[:-1])
    assert parts[-1].endswith("That is all.")


def test_a_table_with_a_wide_header_goes_on_without_it() -> None:
    header = f"| {'name' * 5} | b |\n|---|---|\n"
    parts = split(header + "\n".join(f"| s{n} | {n} |" for n in range(6)), 50)
    assert parts[1].startswith("| s")


def test_a_header_is_not_parted_from_its_rows() -> None:
    parts = split("Some words.\n| a | b |\n|---|---|\n| 1 | 2 |", 34)
    assert parts == ["Some words.", "| a | b |\n|---|---|\n| 1 | 2 |"]


@pytest.mark.parametrize(
    "glyph",
    [
        "👩‍👩‍👧‍👦",
        "e\u0301",
        "👍🏽",
        "🇩🇪",
        "🏴\U000e0067\U000e0062\U000e007f",
        "\u1112\u1161\u11ab",
        "\ud83d\ude00",
        "❤️",
    ],
)
def test_a_glyph_is_not_cut_in_two(glyph: str) -> None:
    for lead in range(len(glyph) + 1):
        parts = split("x" * lead + glyph * 12, 20)
        assert all(part.replace(glyph, "").strip("x") == "" for part in parts)


def test_a_glyph_longer_than_a_part_is_cut_all_the_same() -> None:
    assert "".join(split("e" + "\u0301" * 50, 20)) == "e" + "\u0301" * 50


def test_clean_keeps_what_people_write_and_drops_what_nothing_can_store() -> None:
    kept = "שלום \u202eabc 👩‍👩‍👧 \ufeff\u2028e\u0301"
    assert clean(kept) == kept
    assert clean("a\r\nb\rc\0d") == "a\nb\ncd"
    assert clean("x\ud800y\udc00") == "x\ufffdy\ufffd"
    assert clean("\ud83d\ude00") == "😀"


@given(st.text())
def test_clean_text_can_be_encoded(text: str) -> None:
    assert clean(clean(text).encode().decode()) == clean(text)
