"""`python -m bots`: the same as `threadline`."""

from bots.cli import main

main()
