"""Whole programs with mistakes planted in them: verdicts, names, lines and time, for those open and those set aside.

Run from the root of the project:

    python -m benchmarks.programs --singles 4 --pairs 2 --triples 1 --fives 1
    python -m benchmarks.programs --only open --program char_lstm --budget 20

A mistake counts as named when it is among the diagnoses, no diagnosis is of anything else, and nothing is left
unexplained.  Every check runs in a process of its own, which ends when the budget of processor time is spent.

With `--draw b --singles 2 --pairs 1 --triples 1 --fives 1`, of the programs set aside that need no other framework, 25
of 26 single mistakes were named, 10 of 13 pairs, 7 of 13 triples and 6 of 13 times five at once; 3 of 123 names were
superfluous, 105 lines right and 6 wrong, and a wrong program took 6.1 s of processor time at the median and 31 s at
most, on two processors that others used as well.  Of the open ones, with one single of each, 14 of 14 were named, 14 of
14 pairs, 12 of 14 triples, 11 of 14 times five at once; 2 of 136 names were superfluous, 128 lines right and 5 wrong,
the verdict false for one, and a wrong program took 4.4 s at the median and 31 s at most.  The longest: `gate_objects`
(31, 31 and 13 s), `many_to_one_mse` (30), `sgd_in_backward` (30, 30), `char_lstm` (17, 13), `two_layers` (14) and
`gru_step` (13).
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.gradients.programs.judging import Judged, judge
from tests.gradients.programs.loading import NAMES, data, held, peer, together
from tests.gradients.programs.planted import Slip

SIZES = {0: "right programs", 1: "singles", 2: "pairs", 3: "triples", 5: "fives"}


@dataclass
class Tally:
    """What one half of the programs came to."""

    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    seconds: dict[bool, list[tuple[float, str]]] = field(default_factory=lambda: {True: [], False: []})
    names: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, slips: Sequence[Slip], judged: Judged) -> None:
        size = len(slips)
        self.counts[size, "all"] += 1
        self.counts[size, "verdict"] += judged.verdict
        self.counts[size, "named"] += judged.named
        self.counts[size, "refused"] += bool(judged.refused)
        self.names["said"] += len(judged.extra) + len(judged.lines)
        self.names["extra"] += len(judged.extra)
        self.lines.update(judged.lines)
        self.seconds[not slips].append((judged.seconds, f"{name} {' + '.join(slip.tag for slip in slips)}"))

    def show(self, title: str) -> None:
        print(f"\n{title}\n{'':16}{'checked':>8}{'refused':>8}{'verdict':>8}{'named':>8}")
        for size, word in SIZES.items():
            row = [self.counts[size, one] for one in ("all", "refused", "verdict", "named")]
            if row[0]:
                print(f"{word:16}" + "".join(f"{one:8d}" for one in row))
        print(f"false or superfluous names: {self.names['extra']} of {self.names['said']}")
        print("lines: " + ", ".join(f"{self.lines[word]} {word}" for word in ("right", "wrong", "none")))
        for right, found in self.seconds.items():
            if found:
                times = sorted(found, reverse=True)
                what = "right" if right else "wrong"
                print(
                    f"CPU seconds, {what}: median {statistics.median(t for t, _ in times):.1f}, worst {times[0][0]:.1f}"
                )
        for seconds, what in sorted(self.seconds[True] + self.seconds[False], reverse=True)[:10]:
            print(f"    {seconds:6.1f}  {what}")


def _answer(pipe: Any, name: str, slips: tuple[Slip, ...], budget: int) -> None:
    used = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime)
    resource.setrlimit(resource.RLIMIT_CPU, (used + budget, used + budget + 5))
    pipe.send(judge(name, *slips))


def judged_within(name: str, slips: tuple[Slip, ...], budget: int) -> Judged:
    """What is said of a program within a budget of seconds of processor time."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_answer, args=(theirs, name, slips, budget))
    process.start()
    theirs.close()
    try:
        return ours.recv()  # type: ignore[no-any-return]
    except EOFError:
        return Judged(refused=f"no answer within {budget} s", missed=slips, seconds=budget)
    finally:
        process.join()


def tell(name: str, slips: Sequence[Slip], judged: Judged) -> None:
    """Print what went wrong."""
    print(f"{name}  ({judged.seconds:.1f} s)   {data(name).CALL}")
    for slip in slips:
        mark = "missed" if slip in judged.missed else "named"
        print(f"    planted ({mark}): {slip.tag}  {slip.old.strip()!r} -> {slip.new.strip()!r}")
    print(
        f"    refused: {judged.refused}" if judged.refused else f"    verdict: {judged.verdict}; wrong: {judged.wrong}"
    )
    for said in judged.said:
        print(f"    said: {said}")
    if judged.extra or judged.unexplained:
        print(f"    superfluous: {judged.extra}; unexplained: {judged.unexplained}", flush=True)


def run(names: Sequence[str], counts: dict[int, int], budget: int, draw: str = "") -> None:
    """Judge, and print the failures and the tables."""
    halves = {False: Tally(), True: Tally()}
    for name in names:
        for size, count in counts.items():
            groups = [()] if size == 0 else together(name, size, max(count, 0), draw) if count >= 0 else []
            for slips in groups:
                judged = judged_within(name, slips, budget)
                halves[held(name)].add(name, slips, judged)
                if not (judged.named and judged.verdict) or "wrong" in judged.lines:
                    tell(name, slips, judged)
        print(f"{name}: done", flush=True)
    for aside, tally in halves.items():
        if tally.counts:
            tally.show("set aside" if aside else "open")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("open", "held"), help="one half of the programs")
    parser.add_argument("--program", action="append", choices=NAMES, help="one program; may be given several times")
    parser.add_argument("--budget", type=int, default=60, help="seconds of processor time for a check")
    parser.add_argument("--singles", type=int, default=0, help="how many of each program; 0 for all, -1 for none")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--triples", type=int, default=3)
    parser.add_argument("--fives", type=int, default=2)
    parser.add_argument("--draw", default="", help="any word: other mistakes are drawn than without it")
    parser.add_argument("--peers", action="store_true", help="programs that need another framework as well")
    arguments = parser.parse_args()
    names = [name for name in arguments.program or NAMES if arguments.only != ("open" if held(name) else "held")]
    names = [name for name in names if arguments.peers or not peer(name)]
    several = {2: arguments.pairs or -1, 3: arguments.triples or -1, 5: arguments.fives or -1}
    run(names, {0: 0, 1: arguments.singles, **several}, arguments.budget, arguments.draw)


if __name__ == "__main__":
    main()
