"""Decides what text is fit to keep and where Markdown may be cut; pure, and in no platform's dialect."""

from core.text.cleaning import clean
from core.text.cutting import SMALLEST_LIMIT, split

__all__ = ["SMALLEST_LIMIT", "clean", "split"]
