"""The search for the changes that make gradients right: one after the other, the likeliest first."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from operator import itemgetter

from symrnn.budget import OutOfTimeError, go_on
from symrnn.repairs.code import SourceUnit, first_line, installed, lines_run
from symrnn.repairs.edits import Applied, SourceEdit, placed, read_expression
from symrnn.repairs.effects import find_barred
from symrnn.repairs.foreseeing import ForeseenValues
from symrnn.repairs.generators import AROUND, FOR_PAIRS, GENERATORS, UNCLIPPING, edits_of
from symrnn.repairs.passing import PassedValues
from symrnn.repairs.sights import look, statements_of
from symrnn.repairs.site import Site, find_sites
from symrnn.repairs.standing import OpenSite, Progress, Standing, Tried
from symrnn.repairs.suspects import Foresight, first_wrong
from symrnn.repairs.trials import Score, Trials, touched

_DEAREST = 9
"""The cost beyond which nothing is tried."""
_USUAL = 3
"""The cost up to which edits are tried before one is taken that helps at shorter inputs alone: all slips of one token,
and the values that are easily mistaken for one another."""
_TURNS = 3
"""How often an edit that led nowhere is given up for another: of two that look alike, the second is mostly right."""
_MOST = 6
"""Mistakes that are looked for in one program: five at once are the most that were met in public ones."""


class Search:
    """A search, with what it has found so far.

    Args:
        units: the functions that ran.
        trials: the functions as they are asked.
    """

    def __init__(self, units: Sequence[SourceUnit], trials: Trials) -> None:
        self.units, self.trials, self._barred = units, trials, find_barred(units)
        self._unit_of: dict[ast.AST, SourceUnit] = {}
        self._passed = PassedValues(units)
        forth = lines_run(lambda: trials.subject.outputs({}))
        self._forth = {
            one
            for unit in units
            for function in unit.functions
            if (unit.file, first_line(function)) in forth
            for one in statements_of(function)
        }
        self.made: list[Applied] = []
        self.complete = True
        self._others: list[tuple[int, list[Progress]]] = []
        self._turns = 0
        self._best: tuple[int, list[SourceEdit]] = (-1, [])

    def run(self) -> None:
        """Look until all is right, nothing more is found, or there is no time left."""
        try:
            standing = self._take_clips()
            while standing is not None and len(self.made) < _MOST:
                self._note(standing.base)
                found = sorted(self._progress(standing), key=lambda one: one.rank)
                if found:
                    self._others.append((len(self.made), found[1:]))
                    self._take(found, standing.base)
                elif not self._take_pair(standing) and not self._go_back():
                    break
                standing = self.stand()
        except OutOfTimeError:
            self.complete = False
        self._return_to_best()
        self.made = self._needed()

    def _applied(self, edit: SourceEdit) -> Applied:
        """An edit that is made, and known to the function that it is made in."""
        statement = edit.statement
        if statement not in self._unit_of:
            self._unit_of = {one: unit for unit in self.units for one in ast.walk(unit.tree)}
        # What an earlier edit has put in and another has taken out is in none of them.
        units = [self._unit_of[statement]] if statement in self._unit_of else self.units

        def tell() -> None:
            for unit in units:
                unit.touch()

        return Applied(edit, tell)

    def score(self) -> Score | None:
        """What the trees give as they are now."""
        with installed(self.units) as able:
            return self.trials.score() if able else None

    def stand(self) -> Standing | None:
        """How things stand; None where all is right, or nothing can be run."""
        base = self.score()
        if base is None or not base.wrong:
            return None
        wrong = Counter(place for place, _ in base.wrong)
        first = min(wrong, key=lambda place: (wrong[place], place == 0, place))
        self._passed.renew()
        met: list[tuple[int, bool]] = []
        with installed(self.units) as able:
            if able:
                self.trials.listen(self._passed, first)
                met = self.trials.met()
        base = self.score() or base
        sites = self._open_sites(base, first)
        return Standing(base, first, sites, first_wrong(self._passed.places, met, sites))

    def _note(self, base: Score) -> None:
        """Remember the edits that made the most right."""
        if len(base.right) > self._best[0]:
            self._best = len(base.right), [one.edit for one in self.made]

    def _return_to_best(self) -> None:
        score = self.score()
        if score is not None:
            self._note(score)
        self.made = self._remake(self._best[1])

    def _go_back(self) -> bool:
        """Take the next best edit of an earlier round, where the best one led nowhere; whether there is one."""
        while self._others and self._turns < _TURNS:
            count, rest = self._others.pop()
            if rest:
                self._turns += 1
                while len(self.made) > count:
                    self.made.pop().undo()
                self._others.append((count, rest[1:]))
                self._take(rest[:1], self.score())
                return True
        return False

    def _take(self, found: Sequence[Progress], before: Score | None) -> None:
        """Make the best edit, and those others that still make something right beside it."""
        for one in found:
            applied = self._applied(one.edit)
            after = self.score()
            if before is not None and after is not None and after.beats(before):
                before = after
                self.made.append(applied)
                if not (one.full or one.inner) or len(self.made) >= _MOST:
                    return
            else:
                applied.undo()

    def _take_pair(self, standing: Standing) -> bool:
        """Make two edits that only together make a gradient right; whether there are such.

        Two mistakes in the sum of one gradient are such: one alone shows nowhere.
        """
        base = standing.base
        for name in sorted({name for _, name in base.wrong}):
            near = [one for one in standing.sites if one.reached == {name}]
            edits = [edit for one in near for make in FOR_PAIRS for edit in edits_of(make, one.site) if edit.cost <= 2]
            for number, edit in enumerate(edits):
                first = self._applied(edit)
                for other in edits[number + 1 :]:
                    go_on()
                    second = self._applied(other)
                    score = self.score()
                    if score is not None and score.same_outputs and score.right > base.right:
                        self.made += [first, second]
                        return True
                    second.undo()
                first.undo()
        return False

    def _take_clips(self) -> Standing | None:
        """Leave out whatever clips, since that hides what else is mended; how things stand then.

        What need not be left out is put back in the end.
        """
        for _ in range(_MOST):
            standing = self.stand()
            if standing is None:
                return None
            edits = [edit for one in standing.sites for make in UNCLIPPING for edit in edits_of(make, one.site)]
            if not any(self._take_clip(edit, standing.base) for edit in edits):
                return standing
        return self.stand()

    def _take_clip(self, edit: SourceEdit, base: Score) -> bool:
        if not edit.tag.startswith("clipped"):
            return False
        applied = self._applied(edit)
        score = self.score()
        if score is not None and score.same_outputs and score.right >= base.right and touched(base, score):
            self.made.append(applied)
            return True
        applied.undo()
        return False

    def _progress(self, standing: Standing) -> list[Progress]:
        """The edits that make something right; those of the lowest cost that there are.

        What may be the only wrong statement, at all points or at the one at which the fewest mistakes show, is first.
        """
        tried = Tried()
        if found := self._at_suspects(standing, tried):
            if not any(one.right == standing.base.wrong for one in found):
                # What is wrong in no value that a statement computes makes others look so.
                more = (edit for one in standing.sites for make in AROUND for edit in edits_of(make, one.site))
                found += [one for edit in more if (one := self._try(edit, -1, standing)) is not None]
            return found
        near = [one for one in standing.sites if one.near]
        for cost in range(1, _DEAREST + 1):
            for fit in (2, 1, 0):
                found = self._at_cost(cost, [one for one in near if one.fit >= fit], tried, standing)
                if any(one.right == standing.base.wrong for one in found):
                    return found
            every = [one for below in range(cost + 1) for one in tried.found[below]]
            if every and cost >= _USUAL:
                return every
        return []

    def _at_suspects(self, standing: Standing, tried: Tried) -> list[Progress]:
        """What edits make right of the statements at which backward goes wrong first; those of the lowest cost.

        What the statement comes to with an edit is foreseen: it has to be an adjoint, and another one than it is.
        """
        inner = self.trials.inner
        if inner is None or not standing.suspects:
            return []
        statements = {one.site.statement for one in standing.suspects}
        with installed(self.units):
            foreseen = ForeseenValues(self.units, statements, partial(self.trials.run, standing.first))
        foresight = Foresight(inner, foreseen, [*statements])
        edits: dict[int, list[tuple[int, SourceEdit, int]]] = defaultdict(list)
        made = [(one, *pair) for one in standing.suspects for pair in GENERATORS.items()]
        found: list[Progress] = []
        for cost in range(1, _DEAREST + 1):
            if found and cost > _USUAL:  # what is foreseen costs little: of the cheap ones that help, the best is taken
                break
            for number, (one, make, least) in enumerate(made):
                if least == cost:
                    for edit in edits_of(make, one.site):
                        edits[edit.cost].append((number, edit, one.place))
            for _, edit, place in sorted(edits[cost], key=itemgetter(0)):
                go_on()
                mark = edit.mark
                if mark not in tried.marks and foresight.promises(edit):
                    tried.marks.add(mark)
                    progress = self._try(edit, place, standing)
                    found += [] if progress is None else [progress]
        return found

    def _at_cost(self, cost: int, sites: Sequence[OpenSite], tried: Tried, standing: Standing) -> list[Progress]:
        """What edits of this cost of these statements make right; none is tried twice."""
        for one in sites:
            for make, least in GENERATORS.items():
                if least + one.doubt == cost and (make, id(one)) not in tried.made:
                    tried.made.add((make, id(one)))
                    for edit in edits_of(make, one.site):
                        tried.later[edit.cost + one.doubt].append((edit, one.place))
        for edit, place in tried.later.pop(cost, []):
            mark = edit.mark
            if mark not in tried.marks:
                tried.marks.add(mark)
                progress = self._try(edit, place, standing)
                tried.found[cost] += [] if progress is None else [progress]
        return tried.found[cost]

    def _try(self, edit: SourceEdit, place: int, standing: Standing) -> Progress | None:
        go_on()
        base = standing.base
        applied = self._applied(edit)
        try:
            with installed(self.units) as able:
                score = self.trials.score() if able and self.trials.gains(standing.first, base) else None
        finally:
            applied.undo()
        if score is None or not score.beats(base):
            return None
        inner = len(score.inner - base.inner)
        return Progress(edit, place, score.right - base.right, edit.statement in self._forth, inner)

    def _open_sites(self, base: Score, first: int) -> list[OpenSite]:
        """The statements that may be wrong: what they change, makes nothing right wrong."""
        with installed(self.units):
            sights = look(self.units, self.trials.run)
        cotangents = list(self.trials.points[0].cotangents.values())
        ratios = self.trials.factors(base)
        functions = [function for unit in self.units for function in unit.functions]
        found: list[OpenSite] = []
        for place, site in enumerate(find_sites(functions, sights, cotangents, ratios)):
            if site.statement not in self._barred and not site.is_worded:
                found += self._opened(place, site, base, first)
        return found

    def _opened(self, place: int, site: Site, base: Score, first: int) -> Iterator[OpenSite]:
        """The statement, or the parts of it, if mending it need make nothing wrong that is right."""
        go_on()
        wrong = base.wrong
        reached = self._reach(site, base)
        full = None if reached is None else _at(0, reached)
        parts = site.split() if full is None or not full <= wrong else []
        if reached is None or full is None:
            yield OpenSite(place, site, 1)
        elif reached and full <= wrong:
            # What is right with one step may stay so where a term is added that is zero then.
            alike = (_at(point, reached) == _at(point, wrong) for point in (0, first))
            fit = 2 if reached == wrong else int(any(alike))
            names, near = frozenset(name for _, name in reached), bool(_at(first, reached) & wrong)
            yield OpenSite(place, site, 0 if reached <= wrong else 1, fit, names, near)
        for part in parts:
            yield from self._opened(place, part, base, first)

    def _reach(self, site: Site, base: Score) -> frozenset[tuple[int, str]] | None:
        """The gradients that what the statement assigns acts on; none for one of forward's; None if it cannot tell."""
        shaken = _shaken(site)
        if shaken is None:
            return None
        applied = self._applied(shaken)
        try:
            score = self.score()
        finally:
            applied.undo()
        if score is None:
            return None
        return touched(base, score) if score.same_outputs else frozenset()

    def _needed(self) -> list[Applied]:
        """The edits without those that others have made superfluous."""
        kept = [one.edit for one in self.made]
        whole = self.score()
        for edit in [*kept]:
            rest = [one for one in kept if one is not edit]
            score = self.only(rest)
            if whole is not None and score is not None and score.right >= whole.right:
                kept = rest
        return self._remake(kept)

    def only(self, edits: Sequence[SourceEdit]) -> Score | None:
        """What these edits alone give; the others are taken back for it."""
        own = [one.edit for one in self.made]
        self.made = self._remake(edits)
        score = self.score()
        self.made = self._remake(own)
        return score

    def _remake(self, edits: Sequence[SourceEdit]) -> list[Applied]:
        for one in reversed(self.made):
            one.undo()
        return [self._applied(one) for one in edits]

    def undo(self) -> None:
        """Take everything back."""
        self.made = self._remake([])
        self._passed.end()


def _at(point: int, found: frozenset[tuple[int, str]]) -> frozenset[tuple[int, str]]:
    """What of it is at one point."""
    return frozenset(one for one in found if one[0] == point)


def _shaken(site: Site) -> SourceEdit | None:
    """The statement, or the part of it, with another value: what changes then, depends on it."""
    slot = site.value
    if slot is None or (site.root is None and isinstance(site.statement, ast.Return | ast.Expr)):
        return None
    return site.edit("", 0, (slot, _other_value(slot.node)))


def _other_value(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Tuple):
        return ast.Tuple([_other_value(one) for one in node.elts], ast.Load())
    # Neither zeros nor ones stay what they are.
    other = ast.BinOp(placed(node, node), ast.Mult(), read_expression("1.37"))
    return ast.BinOp(other, ast.Add(), read_expression("0.0137"))
