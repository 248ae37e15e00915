"""A simulated MicroVisualizer assistant: other people's server, for demos, tests and benchmarks."""

from bots.demo.assistant.catalogue import Catalogue, Service, Topic
from bots.demo.assistant.faults import Cut, Fault, Hold
from bots.demo.assistant.journal import Outcome, ReceivedCall
from bots.demo.assistant.projects import demo_projects, media_demo, shop_demo
from bots.demo.assistant.server import AssistantServer

__all__ = [
    "AssistantServer",
    "Catalogue",
    "Cut",
    "Fault",
    "Hold",
    "Outcome",
    "ReceivedCall",
    "Service",
    "Topic",
    "demo_projects",
    "media_demo",
    "shop_demo",
]
