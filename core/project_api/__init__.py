"""The project's assistant over HTTP, as its public contract describes it; nothing of Slack or the queue."""

from core.project_api.catalogue import HttpCatalogue
from core.project_api.chat import HttpChatApi
from core.project_api.keyring import Keyring, lane_of

__all__ = ["HttpCatalogue", "HttpChatApi", "Keyring", "lane_of"]
