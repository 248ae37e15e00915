"""`threadline`, and `python -m bots`: loads the command line as quickly as can be, and runs it."""

import gc

#: New objects before garbage is looked for. What is under way at a busy moment is thousands of them: at
#: Python's 700 that alone had them looked through a hundred times a second, a twentieth of all CPU.
_YOUNG = 10_000


def main() -> None:
    """Run the command line.

    What loading it makes stays to the end: looking for garbage in it, then or ever, is time lost.
    """
    gc.disable()
    from bots.cli import main as run  # noqa: PLC0415 collecting must be off while it is loaded

    gc.freeze()
    gc.set_threshold(_YOUNG)
    gc.enable()
    run()


if __name__ == "__main__":
    main()
