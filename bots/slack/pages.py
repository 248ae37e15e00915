"""The pages that somebody sees who installs the app: whole, small, and without anything from elsewhere."""

import re
from dataclasses import dataclass
from html import escape

#: What goes with every page: nothing is loaded, kept, framed, or told of the address that was called.
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.0625rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 12vh auto; padding: 0 1.25rem;
  color: #1d1c1d; background: #fff; }
h1 { font-size: 1.6rem; line-height: 1.25; }
li { margin: .6rem 0; }
code { font-size: .95em; padding: .1em .35em; border-radius: .25em; background: #f0eef2; }
a { color: #0b4c8c; }
a.button { display: inline-block; padding: .7rem 1.4rem; border-radius: .4rem; font-weight: 600;
  text-decoration: none; color: #fff; background: #4a154b; }
a:focus-visible { outline: 3px solid #1264a3; outline-offset: 3px; }
@media (prefers-color-scheme: dark) {
  body { color: #e8e8e8; background: #1a1d21; }
  code { background: #2c3036; }
  a { color: #7cb7f0; }
  a.button { color: #1a1d21; background: #e3c7e8; }
}
"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an installation did not come about, in words for who tried."""

    title: str
    words: str


_BEGIN_AGAIN = "Nothing was installed by this."
_TROUBLES = {
    "access_denied": Trouble(
        "Not installed", "You chose not to let Threadline into Slack. That is fine: nothing was changed."
    ),
    "invalid_browser": Trouble(
        "This link is not for this browser",
        "An installation ends in the browser in which it began, once, and within ten minutes. "
        f"{_BEGIN_AGAIN}",
    ),
    "invalid_state": Trouble(
        "This link was used, or is too old",
        f"It counts once, and for ten minutes. {_BEGIN_AGAIN}",
    ),
    "missing_code": Trouble("This link is not complete", f"Slack's part of it is missing. {_BEGIN_AGAIN}"),
    "away": Trouble(
        "That did not work just now",
        "Slack, or our own database, did not answer in time. Please try again in a few minutes.",
    ),
}


def code_of(reason: str) -> str:
    """Return a reason that came in an address; "unknown" for what is no code: anybody can write one."""
    return reason if re.fullmatch(r"[a-z0-9_]{1,60}", reason) else "unknown"


def trouble(code: str) -> Trouble:
    """Return what is said for a code: one of ours, or of Slack's."""
    said = f"Slack did not agree to it ({code}). {_BEGIN_AGAIN}"
    return _TROUBLES.get(code) or Trouble("Not installed", said)


def install_page(authorize_url: str) -> str:
    """Return the page that offers to install; the address leads to Slack."""
    return _page(
        "Add Threadline to Slack",
        "<p>Threadline answers questions about your MicroVisualizer project, in the threads of your "
        "channels. It reads the channels it is invited to, and writes only in threads.</p>\n"
        f'<p><a class="button" href="{escape(authorize_url)}">Add to Slack</a></p>\n'
        "<p>Slack will show you what it asks for, and for which workspace. You can remove it there at any "
        "time: all that is kept of your workspace is then deleted.</p>",
    )


def success_page(name: str, open_url: str) -> str:
    """Return the page at the end: what to do next in the workspace, or organisation, of this name."""
    return _page(
        f"Threadline is in {name}",
        "<p>Three steps, all in Slack:</p>\n<ol>\n"
        "<li>In a channel, invite it: <code>/invite @Threadline</code></li>\n"
        "<li>As a workspace admin, link a project to that channel: "
        "<code>/threadline link PROJECT</code></li>\n"
        "<li>Ask: <code>@Threadline who consumes order.created?</code></li>\n"
        f'</ol>\n<p><a class="button" href="{escape(open_url)}">Open Slack</a></p>',
    )


def failure_page(why: Trouble, install_path: str) -> str:
    """Return the page for an installation that did not come about."""
    return _page(
        why.title,
        f'<p role="alert">{escape(why.words)}</p>\n'
        f'<p><a class="button" href="{escape(install_path)}">Begin again</a></p>',
    )


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n<style>{_STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{content}\n</main>\n</body>\n</html>\n"
    )
