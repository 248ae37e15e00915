"""`threadline demo`: the real Threadline between simulated servers, as a tour or to write in."""

from bots.cli.demo.command import demo

__all__ = ["demo"]
