"""Slack's side of Threadline: what it sends, made into questions; answers, made into its messages."""
