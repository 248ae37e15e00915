"""The platforms' side of Threadline: everything that knows Slack, HTTP or a terminal."""
