"""Where one sign, as people see it, ends and the next begins."""

import re
import unicodedata

# Skin tones, tags and the later letters of a Korean syllable; the two halves of a flag.
_JOINS = re.compile("[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u1160-\u11ff]")
_FLAG, _NOT_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]"), re.compile("[^\U0001f1e6-\U0001f1ff]")


def is_between_glyphs(text: str, at: int) -> bool:
    """Whether a cut at `at` leaves whole what is seen as one sign (Unicode's graphemes, nearly)."""
    before, after = text[at - 1], text[at]
    if "\u200d" in (before, after) or _JOINS.match(after) or unicodedata.category(after).startswith("M"):
        return False
    if "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff":
        return False
    return not (_FLAG.match(after) and len(_NOT_FLAG.split(text[:at])[-1]) % 2)
