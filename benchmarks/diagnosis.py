"""Every mistake of the corpus, one, two and three at a time: which are named, and how long that takes.

Run from the root of the project:

    python -m benchmarks.diagnosis --singles 20 --pairs 5 --triples 3 lstm_class gru_cho

A mistake counts as named when it is among the diagnoses, no diagnosis is of anything else, and every wrong gradient is
explained.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from symrnn.diagnosis.diagnose import Outcome
from tests.diagnosis.corpus import NAMES, Planted
from tests.diagnosis.diagnosing import diagnosed, named, sample


def tell(name: str, planted: Sequence[Planted], outcome: Outcome | str, seconds: float) -> None:
    """Print what went wrong."""
    print(f"{name}  ({seconds:.1f} s)")
    for one in planted:
        print(f"    planted: {one.tag} {one.also} [{one.site}]  {one.old!r} -> {one.new!r} {one.more or ''}")
    if isinstance(outcome, str):
        print(f"    {outcome}", flush=True)
        return
    for diagnosis in (*outcome.diagnoses, *outcome.near):
        print(f"    found: {diagnosis.mistake}: {diagnosis.sentence}")
    print(f"    unexplained: {', '.join(outcome.unexplained) or 'nothing'}", flush=True)


def run(names: Sequence[str], counts: Sequence[int]) -> None:
    """Diagnose, and print the failures and the tables."""
    by_tag: Counter[tuple[str, bool]] = Counter()
    rows = []
    for name in names:
        row: list[str] = []
        seconds: list[float] = []
        for size, count in enumerate(counts, 1):
            good = total = 0
            for planted in sample(name, size, count) if count >= 0 else ():
                start = time.process_time()
                try:
                    outcome: Any = diagnosed(name, *planted)
                except Exception as error:
                    outcome = f"raised {error!r}"
                seconds.append(time.process_time() - start)
                fine = not isinstance(outcome, str) and named(outcome, planted)
                good, total = good + fine, total + 1
                if size == 1:
                    by_tag[planted[0].tag, fine] += 1
                if not fine:
                    tell(name, planted, outcome, seconds[-1])
            row.append(f"{good:4d} of {total:4d}")
        timing = f"{statistics.median(seconds):5.1f} {max(seconds):5.1f}" if seconds else ""
        rows.append(f"{name:20}" + "".join(row) + f"   {timing}")
        print(rows[-1], flush=True)
    print(f"\n{'implementation':20}{'singles':>12}{'pairs':>12}{'triples':>12}   median and longest, CPU seconds")
    print("\n".join(rows))
    print(f"\n{'mistake':28}{'named':>6}{'not':>6}")
    for tag in sorted({tag for tag, _ in by_tag}):
        print(f"{tag:28}{by_tag[tag, True]:6d}{by_tag[tag, False]:6d}")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="implementations of the corpus; all of them if none is given")
    parser.add_argument("--singles", type=int, default=0, help="how many of each; 0 for all, -1 for none")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--triples", type=int, default=10)
    arguments = parser.parse_args()
    run(arguments.names or NAMES, (arguments.singles, arguments.pairs or -1, arguments.triples or -1))


if __name__ == "__main__":
    main()
