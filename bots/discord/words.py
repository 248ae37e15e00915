"""Writes what stands inside a paragraph in Discord's Markdown; it knows no blocks and cuts nothing.

Discord reads Markdown by regular expressions of its own, so CommonMark is not echoed but written anew:
what was text is escaped, what was emphasis gets marks that Discord takes for it, or none.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from markdown_it.tree import SyntaxTreeNode

from bots.markdown.links import JOINER, straight, tells, web_host

#: Stands for a space at which no message is cut; a noncharacter, which no text has any use for.
TIE = "\ufdd0"
_TIED = 300  # longer code and emphasis may be cut

_MARKS = re.compile(r"[\\*`\[]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|~(?=~|\Z)|(?<=~)~|\A~")
_ESCAPED = re.compile(r"\\.")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# Between other scripts' words a space need not end an address: there, their punctuation does.
_BARE = re.compile('https?://[^\\s<>"\u3000-\u303f\uff00-\uffef]+', re.IGNORECASE)
_AFTER = ".,:;!?'*_~]}|`"
# What would end the address, or be read by Discord inside it, or not be seen at all.
_UNFIT = re.compile(
    "[\\s<>*|`\\\\\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]|@(?=everyone|here)", re.IGNORECASE
)


def literal(text: str) -> str:
    """Return text that Discord shows as it is, web addresses as links without a preview."""
    written, done = [], 0
    for found in _BARE.finditer(text):
        address = _without_what_follows(found[0])
        written += [_escaped(text[done : found.start()]), _bare(address)]
        done = found.start() + len(address)
    return "".join([*written, _escaped(text[done:])])


def code(text: str) -> str:
    """Return inline code: Discord's takes no more than two backticks, so longer runs inside are parted."""
    shown = re.sub("`(?=`)", "`" + JOINER, text)
    if "`" not in shown:
        return f"`{shown}`"
    return f"`` {shown} ``" if "`" in (shown[0], shown[-1]) else f"``{shown}``"


def bold(written: str) -> str:
    """Return bold text; `written` as it is where Discord would end it too early."""
    fit = written.strip() and "**" not in _ESCAPED.sub("", written)
    return _tied(f"**{written}**") if fit else written


def plain(nodes: Iterable[SyntaxTreeNode]) -> str:
    """Return what is read, for a block of code: without marks, on one line."""
    return "".join(_BREAK.sub(" · ", node.content) or plain(node.children) or " " for node in nodes)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the parts of a paragraph; a line's end inside it as `line_end`."""

    line_end: str = "\n"
    in_bold: bool = False  # where Discord knows no second bold
    in_label: bool = False  # where Discord knows no link

    def paragraph(self, node: SyntaxTreeNode) -> str:
        """Return all that is inside `node`; nothing in it turns the direction of a link's host."""
        written = self.written(node.children)
        return straight(written) if "<http" in written else written

    def written(self, nodes: Iterable[SyntaxTreeNode]) -> str:
        return "".join(map(self._one, nodes))

    def _one(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "text":
                lines = _BREAK.split(node.content)
                return self.line_end.join(map(_escaped if self.in_label else literal, lines))
            case "code_inline":
                return _tied(code(node.content))
            case "strong":
                inside = replace(self, in_bold=True).written(node.children)
                return inside if self.in_bold else bold(inside)
            case "em":
                return _tied(_italic(self.written(node.children)))
            case "s":
                return _tied(_struck(self.written(node.children)))
            case "link" | "image":
                return self._link(node)
            case _:
                return self.line_end

    def _link(self, node: SyntaxTreeNode) -> str:
        label = replace(self, in_label=True, line_end=" ").written(node.children)
        if self.in_label:  # an image inside a link
            return label
        address = str(node.attrs.get("href", node.attrs.get("src", "")))
        if node.info == "auto" and web_host(address) is None:
            return f"<{_escaped(plain(node.children))}>"
        if "://" in label:  # Discord hides no address behind another
            label = self.written(node.children)
        title = str(node.attrs.get("title", ""))
        told = f", “{_escaped(title)}”" if title else ""
        shown = "" if plain(node.children) == address else straight(label)
        return _tied(_link(shown, address, told))


def _link(label: str, address: str, title: str) -> str:
    host = web_host(address)
    if not label or host is None or re.search(r"[\[\]]|://", label):
        shown = _bare(address) + title
        return f"{label} ({shown})" if label else shown
    beside = title if tells(label, host) else f", {host}{title}"
    fit = _fit(address).replace("(", "%28").replace(")", "%29")
    return f"[{label}](<{fit}>)" + (f" ({beside[2:]})" if beside else "")


def _bare(address: str) -> str:
    return code(address) if web_host(address) is None else f"<{_fit(address)}>"


def _fit(address: str) -> str:
    return _UNFIT.sub(lambda sign: "".join(f"%{byte:02X}" for byte in sign[0].encode()), address)


def _without_what_follows(address: str) -> str:
    """The address without the punctuation of the sentence it stands in."""
    while address[-1] in _AFTER or (address[-1] == ")" and address.count(")") > address.count("(")):
        address = address[:-1]
    return address


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\g<0>", text)


def _italic(written: str) -> str:
    """Italic text, in the mark that Discord does not find inside it; only of `_` it knows escapes."""
    if "*" not in written:
        return f"*{written}*"
    return f"_{written}_" if "_" not in _ESCAPED.sub("", written) else written


def _struck(written: str) -> str:
    return written if "~~" in written or written.endswith("~") else f"~~{written}~~"


def _tied(written: str) -> str:
    return written.replace(" ", TIE) if len(written) <= _TIED else written
