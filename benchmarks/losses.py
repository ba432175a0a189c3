"""Whole programs that return a loss: how many of the mistakes planted in them are named, and with the right line.

    OPENBLAS_NUM_THREADS=1 python benchmarks/losses.py [PROGRAM ...]

A line for each mistake, then the sums.  Of 38 mistakes in the programs of `tests/losses/loss_programs.py` that were
tried, 37 were named, three of them with a line beside the right one.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.losses.loss_programs import PROGRAMS
from tests.losses.test_losses import check, load_learn


def main(names: list[str]) -> None:
    """Plant every slip of the programs, one at a time."""
    named = lines = count = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names or PROGRAMS:
            program = PROGRAMS[name]
            for place, slip in enumerate(program.slips):
                start = time.process_time()
                text = program.text.replace(slip.old, slip.new)
                report = check(load_learn(Path(folder), text), program)
                tags = [one.mistake for one in report.diagnoses]
                right = len(tags) == 1 and tags[0] in slip.tags.split() and not report.unexplained
                line = program.text[: program.text.index(slip.old)].count("\n") + 1
                found = [one.line.line for one in report.diagnoses if one.line is not None]
                count, named, lines = count + 1, named + right, lines + (found == [line])
                seconds = time.process_time() - start
                print(f"{name} {place}: {', '.join(tags) or 'nothing'} at {found}, planted at {line}; {seconds:.1f} s")
    print(f"{named} of {count} named, {lines} with the planted line")


if __name__ == "__main__":
    main(sys.argv[1:])
