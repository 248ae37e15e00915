"""A folder for a run: it goes when all was well, and stays where there is something to be looked into."""

import asyncio
import random
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from tests.faults.report import Report


async def carried_out(name: str, seed: str, carry_out: Callable[[Path, str], Awaitable[Report]]) -> Report:
    """Carry a run out in a folder of its own, with this seed or, where there is none, with a fresh one."""
    seed = seed or f"{name}-{random.SystemRandom().randrange(10**6)}"
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=f"{seed}-"))
    report = await carry_out(folder, seed)
    if report.faults:
        return replace(report, faults=[*report.faults, f"its database and log are in {folder}"])
    await asyncio.to_thread(shutil.rmtree, folder)
    return report
