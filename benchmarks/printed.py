"""Printed equations, read back and evaluated with the defined meaning of every symbol: a table for many cells.

    OPENBLAS_NUM_THREADS=1 python benchmarks/printed.py [--random 500] [--seed 0] [--only random] [--notations]

The documents of all library cells and of random cells are written as text, Markdown and LaTeX, taken apart again, and
every equation is evaluated on a network of four steps; with `--notations` in every notation.  A line for
each form says how many equations are true, how many are false and how many could not be read; each of the latter two is
printed.  The exit code is 1 where there is one.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import product
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from symrnn import Cell, cells, derive
from symrnn.errors import NameClashError
from symrnn.printers import NOTATIONS
from tests.printed.checking import Meanings, check
from tests.printed.reading import READERS
from tests.strategies import cell_texts

KINDS = ("library", "random")


def random_texts(count: int, start: int) -> list[str]:
    found: list[str] = []

    @seed(start)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cell_texts())
    def every(text: str) -> None:
        found.append(text)

    every()
    return found[:count]


def every_cell(count: int, start: int, kinds: Collection[str]) -> Iterator[tuple[str, Cell]]:
    for name in cells.names() if "library" in kinds else ():
        yield "library", cells[name]
    for text in random_texts(count, start) if "random" in kinds else ():
        yield "random", Cell.from_source(text)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--random", type=int, default=500, help="how many random cells")
    options.add_argument("--seed", type=int, default=0, help="of the random cells")
    options.add_argument("--only", choices=KINDS, help="of the library or random cells, these alone")
    options.add_argument("--notations", action="store_true", help="every notation that has a name, not the usual one")
    chosen = options.parse_args()
    notations = tuple(NOTATIONS) if chosen.notations else ("subscript",)
    kinds = (chosen.only,) if chosen.only else KINDS
    table: Counter[tuple[str, str, str]] = Counter()
    every = product(every_cell(chosen.random, chosen.seed, kinds), notations)
    for done, ((kind, cell), notation) in enumerate(every, 1):
        try:
            form = "text"
            meanings = Meanings(derive(cell), notation)
            for form in READERS:
                result = check(meanings.derivation, form, notation, meanings)
                table[kind, form, "true"] += result.true
                table[kind, form, "false"] += len(result.false)
                table[kind, form, "unread"] += len(result.unread)
                for line in (*result.false, *result.unread):
                    print(f"--- {cell.name}, {form}, {notation}: {line}\n{cell.source}", flush=True)
        except NameClashError:
            table[kind, "text", "names refused"] += 1
        except Exception as error:
            table[kind, form, "crashed"] += 1
            print(f"--- {cell.name}, {form}, {notation}: {type(error).__name__}: {error}\n{cell.source}", flush=True)
        print(f"\r{done} documents", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for kind in kinds:
        for form in READERS:
            words = {word: n for (k, f, word), n in table.items() if (k, f) == (kind, form)}
            print(f"{kind:8} {form:9} " + ", ".join(f"{n} {word}" for word, n in words.items()))
    return int(any(word not in ("true", "names refused") and n for (_, _, word), n in table.items()))


if __name__ == "__main__":
    sys.exit(main())
