"""`threadline`, and `python -m bots`: loads the command line as quickly as can be, and runs it."""

import gc


def main() -> None:
    """Run the command line.

    What loading it makes stays to the end: looking for garbage in it, then or ever, is time lost.
    """
    gc.disable()
    from bots.cli import main as run  # noqa: PLC0415 collecting must be off while it is loaded

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
