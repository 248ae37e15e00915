"""In-memory twins of the ports, a scripted assistant and a settable clock. Imported by tests alone."""

from core.testing.doubles import RecordingPoster, ScriptedChat, ScriptedKeys, SettableClock, numbered
from core.testing.memory import MemoryStore

__all__ = ["MemoryStore", "RecordingPoster", "ScriptedChat", "ScriptedKeys", "SettableClock", "numbered"]
