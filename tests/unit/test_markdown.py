"""What both platforms' Markdown rests on: links that say where they lead, tables that stand straight."""

import pytest

from bots.markdown.links import straight, tells, web_host
from bots.markdown.reading import parser
from bots.markdown.tables import aligned, columns


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://A.example:8080/x?y#z", "a.example"),
        ("http://localhost", "localhost"),
        ("https://gіthub.com", "xn--gthub-n2e.com"),
        ("https://git.com@evil.example", None),
        ("https://evil.example\\@git.com", None),
        ("https://" + "ü" * 80 + ".de", None),
        ("javascript:alert(1)", None),
        ("docs/a.md", None),
    ],
)
def test_only_a_web_address_has_a_host(address: str, host: str | None) -> None:
    assert web_host(address) == host


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("the A.example site", True),
        ("a\\.exam\u200bple", True),
        ("docs", False),
        ("git.com/a.example", False),
        ("a.example.org", False),
    ],
)
def test_a_label_tells_the_host_if_that_is_the_domain_it_shows_first(label: str, told: bool) -> None:
    assert tells(label, "a.example") is told


def test_words_are_straightened_and_stay() -> None:
    assert straight("\u202eשלום\u2066 a\u2069") == "שלום a"


def test_columns_stand_below_each_other() -> None:
    assert aligned([["a", "b"], ["字e\u0301", "c"]]) == ["a    b", "字e\u0301  c"]
    assert columns("字e\u0301") == 3


def test_the_parser_sees_every_link_as_written_and_no_html() -> None:
    (paragraph,) = [token for token in parser().parse("[a](x:Ü) <b>") if token.type == "inline"]
    children = paragraph.children or []
    assert [child.attrs.get("href") for child in children if child.type == "link_open"] == ["x:Ü"]
    assert children[-1].content == " <b>"
