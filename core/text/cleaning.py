"""Text as it can be stored and sent anywhere."""


def clean(text: str) -> str:
    """Return `text` as it can be stored and sent anywhere.

    Lone surrogates become U+FFFD, NULs go, line ends become "\\n"; everything else stays, right-to-left
    text and joined emoji among it.
    """
    even = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return even.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
