"""The HTTP side: what platforms and operators' probes call."""
