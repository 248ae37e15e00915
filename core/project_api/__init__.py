"""The project's assistant over HTTP, as its public contract describes it; nothing of Slack or the queue."""

from core.project_api.catalogue import HttpCatalogue
from core.project_api.chat import HttpChatApi

__all__ = ["HttpCatalogue", "HttpChatApi"]
