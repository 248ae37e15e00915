"""Other people's servers, simulated on the real wire for demos, tests and benchmarks; never our adapters."""
