"""A cell's equations -> a diagram, as a lecturer would simplify it.

What a function is applied to is a sum of weighted values nearly always, so a box adds up what enters it and the weights
are on the wires: sigma(W x + U h + b) is one box with two wires.  What depends on parameters alone is a weight.  A
chain of functions of one value is one box, whose label has a dot for the value.  An expression that occurs twice is
drawn once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from symrnn.algebra.nodes import (
    Act,
    Expr,
    Stack,
    Total,
    Variable,
    coefficient,
    denominator,
    is_scalar,
    scale,
    variables,
)
from symrnn.freezing import Frozen
from symrnn.language.recurrence import Cell
from symrnn.pictures.elements import Diagram, Element, ElementKind, Wire
from symrnn.pictures.labels import Labels
from symrnn.pictures.lettering import width_of
from symrnn.pictures.products import SEE_THROUGH, factors_of, is_matrix_product, is_mean, seen_through, sign_of
from symrnn.printers import Notation

_WIDEST = 92.0
"""Pixels of the longest label in a box: about ten letters; a longer one makes its column wider than three gates."""

_MOST_INPUTS = 3
"""A circle has four sides, one of which the result leaves from."""


@dataclass(frozen=True)
class _WeightedTerm:
    """A term of a sum: sign, weights, and what moves."""

    core: Expr
    weights: tuple[Expr, ...]
    sign: str
    is_product: bool

    def wire(self, reader: _DiagramReader, target: str) -> Wire:
        """The wire that brings the term to its sum."""
        return Wire(reader.value(self.core), target, reader.labels.weight(self.weights), self.sign, self.is_product)


def read_diagram(cell: Cell, notation: Notation, detail: str = "gates", later: int = 0, most: int = 40) -> Diagram:
    """The diagram of a cell.

    Args:
        cell: the cell.
        notation: how names look.
        detail: "gates", or "operations", where every product with a matrix and every bias is drawn.
        later: how many steps later than t it is.
        most: as many elements fit on a page; where there are more, the longest equations become one box each.
    """
    whole: frozenset[Variable] = frozenset()
    while True:
        reader = _DiagramReader(cell, notation, detail == "gates", whole, later)
        diagram = reader.diagram()
        inner: dict[Variable, int] = {}
        for key, target in reader.belongs.items():
            inner[target] = inner.get(target, 0) + (key in diagram.elements)
        longest = max(inner.values(), default=0)
        if len(diagram.elements) <= most or longest < 2:
            return diagram
        # Equations of one length together: four gates of one form must look alike.
        whole |= {target for target, count in inner.items() if count == longest}


class _DiagramReader:
    """Reads one cell."""

    def __init__(self, cell: Cell, notation: Notation, folds: bool, whole: frozenset[Variable], later: int) -> None:
        self.cell = cell
        self.labels = Labels(notation, later)
        self.folds = folds
        self.whole = whole
        self.elements: dict[str, Element] = {}
        self.wires: list[Wire] = []
        self.of: dict[Expr, str] = {}
        self.belongs: dict[str, Variable] = {}
        self._target: Variable | None = None
        self._depth = 0

    @cached_property
    def fixed(self) -> frozenset[Variable]:
        """What depends on parameters and constants alone."""
        found = {self.cell[name] for name in (*self.cell.parameters, *self.cell.constants)}
        for equation in self.cell.body:
            if variables(equation.value) <= found:
                found.add(equation.target)
        return frozenset(found)

    def moves(self, expr: Any) -> bool:
        """Whether it depends on an input or a state."""
        return getattr(expr, "is_Matrix", False) and not variables(expr) <= self.fixed

    # --- the whole ---

    def diagram(self) -> Diagram:
        """The diagram: names at the left and below, equations, names at the right and above."""
        cell = self.cell
        for name in (*cell.inputs, *(v.name for v in cell.previous)):
            kind = ElementKind.INPUT if name in cell.inputs else ElementKind.BEFORE
            self._add(Element(name, kind, self.labels.latex(cell[name]), "", self.labels.text(cell[name])), cell[name])
        for equation in cell.body:
            if equation.target not in self.fixed:
                self._equation(equation.target, equation.value)
        read = {wire.source for wire in self.wires}
        for name in (*cell.inputs, *(v.name for v in cell.previous)):
            if name not in read and self.of[cell[name]] not in map(self.of.get, map(cell.__getitem__, cell.states)):
                del self.elements[name]
        for name in cell.states:
            self._end(cell[name], f"{name}.after", ElementKind.AFTER)
        self._end(cell[cell.states[0]], f"{cell.states[0]}.output", ElementKind.OUTPUT)
        states = {name: (f"{name}_prev", f"{name}.after") for name in cell.states}
        return Diagram(Frozen(self.elements), tuple(self.wires), Frozen(states))

    def _end(self, state: Variable, key: str, kind: ElementKind) -> None:
        self.elements[key] = Element(key, kind, self.labels.latex(state), "", self.labels.text(state))
        if state in self.of:
            self.wires.append(Wire(self.of[state], key))

    def _equation(self, target: Variable, value: Expr) -> None:
        self._target = target
        key = self._group(value) if target in self.whole else self.value(value)
        self.of[target] = key
        here = self.elements[key]
        says = f"{self.labels.text(target)} = {self.labels.text(value)}"
        if not here.name and not here.kind.is_text and self.belongs.get(key) == target:
            # A state's name stands at its end, where the line leaves the cell.
            name = "" if target.name in self.cell.states or target in self.whole else self.labels.latex(target)
            self.elements[key] = replace(here, name=name, says=says)

    def _group(self, value: Expr) -> str:
        """A whole equation as one box with the name of its value."""
        assert self._target is not None
        read = variables(value)
        sources = dict.fromkeys(key for one, key in self.of.items() if one in read)
        function = value if isinstance(value, Act) else None
        label = self.labels.latex(self._target) if function is None else self.labels.symbol(function)
        made = self._new(ElementKind.GATE, label)
        if function is not None:
            self.elements[made] = replace(self.elements[made], name=self.labels.latex(self._target))
        self.wires += [Wire(source, made, "", "", True) for source in sources]
        return made

    # --- expressions ---

    def value(self, expr: Expr) -> str:
        """The element that computes an expression, which is made where there is none."""
        if isinstance(expr, SEE_THROUGH) and self.folds:
            return self.value(expr.args[0])
        if expr in self.of:
            return self.of[expr]
        if not self.moves(expr):
            return self._parameter(expr)
        self._depth += 1
        rule = _DiagramReader._mean if is_mean(expr) else _RULES.get(type(expr).__name__, _DiagramReader._other)
        key = self.of[expr] = rule(self, expr)
        self._depth -= 1
        return key

    def _sum(self, expr: Expr) -> str:
        terms, rest = self._terms(expr)
        if len(terms) == 1:
            return self._of_one(expr, terms[0], bool(rest))
        if any(term.is_product for term in terms):
            return self._with_terms(ElementKind.GATE, r"\Sigma", terms)
        wires = [*((t.wire, t.sign) for t in terms), *((self._wire_of(x), "") for x in rest)]
        return self._circles("+", [wire for wire, _ in wires])

    def _of_one(self, expr: Expr, term: _WeightedTerm, has_more: bool) -> str:
        """A function of one value: what is added to it and what it is multiplied by are in the label."""
        if not self.folds and has_more:
            others = [self._wire_of(x) for x in self._terms(expr)[1]]
            return self._circles("+", [term.wire, *others])
        if term.is_product:
            return self._with_terms(
                ElementKind.GATE, self.labels.weight(term.weights), [replace(term, weights=(), sign="")]
            )
        label, kind = self.labels.template(expr, term.core), ElementKind.BOX
        if label.endswith(r"- \cdot"):
            label, kind = label.removesuffix(r" \cdot"), ElementKind.CIRCLE
        if kind is ElementKind.BOX and width_of(label) > _WIDEST and term.weights:
            label = self.labels.weight(term.weights)
        return self._with_terms(kind, label, [_WeightedTerm(term.core, (), "", False)])

    def _act(self, expr: Act) -> str:
        moving = [x for x in expr.operands if self.moves(x)]
        if len(moving) > 1:
            return self._with_sources(ElementKind.BOX, self.labels.symbol(expr), moving)
        base, count = moving[0], 1
        # As long as the label is short: a chain of functions is one box.
        while isinstance(base, Act) and sum(map(self.moves, base.operands)) == 1:
            inner = next(x for x in base.operands if self.moves(x))
            if base in self.of or width_of(self.labels.template(expr, inner)) > _WIDEST:
                break
            base, count = inner, count + 1
        plain = count == 1 and len(expr.operands) == 1
        label = self.labels.symbol(expr) if plain else self.labels.template(expr, base)
        if width_of(label) > _WIDEST:
            label = self.labels.symbol(expr)
        terms, rest = self._terms(base)
        if not self.folds and (len(terms) > 1 or rest):
            return self._with_sources(ElementKind.BOX, label, [base])
        kind = ElementKind.GATE if any(term.is_product for term in terms) else ElementKind.BOX
        return self._with_terms(kind, label, terms)

    def _product(self, expr: Expr) -> str:
        factors = factors_of(expr)
        moving = [factor for factor in factors if self.moves(factor)]
        if len(moving) == 1 and (self.folds or denominator(moving[0]) is None):
            return self._of_weights(expr, factors)
        # A weight of a product of several values is no value: it is left out, or it stands on its own.
        kept = moving if self.folds else [f for f in factors if getattr(f, "is_Matrix", False)]
        wires: list[Callable[[_DiagramReader, str], Wire]] = []
        seen: list[Expr] = []
        for factor in kept:
            below = denominator(factor)
            core = seen_through(factor if below is None else below)
            if core in seen:
                wires[seen.index(core)] = self._wire_of(core, "2")
                continue
            seen.append(core)
            wires.append(self._wire_of(core, r"\div" if below is not None else ""))
        if is_matrix_product(expr, moving):
            named = all(isinstance(seen_through(factor), Variable) for factor in moving)
            return self._made(ElementKind.BOX, self.labels.latex(expr) if named else r"\mathrm{matmul}", wires)
        return self._circles(sign_of(expr, moving), wires)

    def _of_weights(self, expr: Expr, factors: Sequence[Expr]) -> str:
        """Weights times one value, or a number times one value."""
        term = self._term(expr, strips=True)
        if not term.weights:
            if term.core == expr or isinstance(expr, type(term.core)):
                return self._other(expr)
            return self._of_one(expr, term, False)
        if not self.folds and not term.is_product:
            return self._circles(sign_of(expr, []), [self._wire_of(f) for f in factors if hasattr(f, "shape")])
        kind = ElementKind.GATE if term.is_product else ElementKind.BOX
        label = self.labels.weight(term.weights)
        if not term.is_product:
            label = self.labels.template(expr, term.core)
            label = label if width_of(label) <= _WIDEST else self.labels.weight(term.weights)
        return self._with_terms(kind, label, [replace(term, weights=(), sign="")])

    def _stack(self, expr: Stack) -> str:
        terms = [self._term(part) for part in expr.args if self.moves(part)]
        if len({term.core for term in terms}) == 1 and len(terms) > 1:
            label = rf"[{self.labels.weight(terms[0].weights)} \,; \ldots]"
            return self._with_terms(ElementKind.GATE, label, [replace(terms[0], weights=(), sign="")])
        return self._with_sources(ElementKind.JOIN, "", [part for part in expr.args if self.moves(part)])

    def _other(self, expr: Expr) -> str:
        moving = [x for x in expr.operands if self.moves(x)]
        if len(moving) == 1:
            label = self.labels.template(expr, moving[0])
            if width_of(label) > _WIDEST:
                label = rf"\mathrm{{{type(expr).__name__.lower()}}}"
            return self._with_sources(ElementKind.BOX, label, moving)
        return self._with_sources(ElementKind.BOX, rf"\mathrm{{{type(expr).__name__.lower()}}}", moving)

    def _total(self, expr: Total) -> str:
        return self._with_sources(ElementKind.BOX, r"\mathrm{sum}", [expr.operand])

    def _mean(self, expr: Expr) -> str:
        return self._with_sources(ElementKind.BOX, r"\mathrm{mean}", [coefficient(expr)[1].operands[0]])

    def _parameter(self, expr: Expr) -> str:
        """A parameter that stands on its own; one for each place that reads it."""
        key = self._key()
        return self._add(Element(key, ElementKind.PARAMETER, self.labels.latex(expr), "", self.labels.text(expr)), None)

    # --- parts ---

    def _terms(self, expr: Expr) -> tuple[list[_WeightedTerm], list[Expr]]:
        """The terms of a sum that move, and those that do not and are drawn nevertheless."""
        every = expr.args if type(expr).__name__ == "Sum" else (expr,)
        still = [] if self.folds else [x for x in every if not self.moves(x) and variables(x)]
        return [self._term(x) for x in every if self.moves(x)], still

    def _term(self, expr: Expr, strips: bool = False) -> _WeightedTerm:
        number, core = coefficient(expr)
        sign = "-" if getattr(number, "could_extract_minus_sign", lambda: False)() else ""
        weights: list[Expr] = []
        mixes = False
        if not (self.folds or strips):
            return _WeightedTerm(core if sign and abs(number) == 1 else core if number == 1 else expr, (), sign, False)
        while True:
            core = seen_through(core)
            if isinstance(core, Total) and is_mean(scale(abs(number), core)):
                core = scale(abs(number), core)
            factors = factors_of(core) if type(core).__name__ in ("Product", "Hadamard") else [core]
            moving = [factor for factor in factors if self.moves(factor)]
            if len(factors) == 1 or len(moving) != 1 or denominator(moving[0]) is not None or core in self.of:
                return _WeightedTerm(core, tuple(weights), sign, mixes)
            fixed = [factor for factor in factors if not self.moves(factor)]
            mixes = mixes or (
                type(core).__name__ == "Product" and any(variables(f) and not is_scalar(f) for f in fixed)
            )
            weights += [factor for factor in fixed if variables(factor)]
            core = moving[0]

    # --- making elements ---

    def _wire_of(self, expr: Expr, sign: str = "") -> Callable[[_DiagramReader, str], Wire]:
        return lambda reader, target: Wire(reader.value(expr), target, "", sign)

    def _circles(self, label: str, wires: Sequence[Callable[[_DiagramReader, str], Wire]]) -> str:
        """A circle; a chain of circles where there are more wires than sides."""
        label = self.labels.sign(label)
        first, rest = list(wires[:_MOST_INPUTS]), list(wires[_MOST_INPUTS:])
        while rest:
            self._depth += 1
            key = self._made(ElementKind.CIRCLE, label, first)
            self._depth -= 1
            first, rest = [lambda _, target, key=key: Wire(key, target), *rest[:2]], rest[2:]  # type: ignore[misc]
        return self._made(ElementKind.CIRCLE, label, first)

    def _with_terms(self, kind: ElementKind, label: str, terms: Sequence[_WeightedTerm]) -> str:
        return self._made(kind, label, [term.wire for term in terms])

    def _with_sources(self, kind: ElementKind, label: str, sources: Sequence[Expr]) -> str:
        return self._made(kind, label, [self._wire_of(x) for x in sources])

    def _made(self, kind: ElementKind, label: str, wires: Sequence[Callable[[_DiagramReader, str], Wire]]) -> str:
        # What it reads is made first, so that every element comes after these.
        ready = [wire(self, "") for wire in wires]
        key = self._new(kind, label)
        for wire in ready:
            twice = next(
                (n for n, other in enumerate(self.wires) if (other.source, other.target) == (wire.source, key)), None
            )
            if twice is None:
                self.wires.append(replace(wire, target=key))
            else:
                self.wires[twice] = self.wires[twice].with_another(wire)
        return key

    def _key(self) -> str:
        assert self._target is not None
        name = str(self._target.name)
        if self._depth <= 1 and name not in self.elements:
            return name
        return next(f"{name}.{n}" for n in range(1, 10_000) if f"{name}.{n}" not in self.elements)

    def _new(self, kind: ElementKind, label: str) -> str:
        key = self._key()
        assert self._target is not None
        self.belongs[key] = self._target
        self.elements[key] = Element(key, kind, label)
        return key

    def _add(self, element: Element, variable: Variable | None) -> str:
        self.elements[element.key] = element
        if variable is not None:
            self.of[variable] = element.key
        return element.key


_RULES: Mapping[str, Callable[[_DiagramReader, Any], str]] = {
    "Sum": _DiagramReader._sum,
    "Act": _DiagramReader._act,
    "Product": _DiagramReader._product,
    "Hadamard": _DiagramReader._product,
    "Stack": _DiagramReader._stack,
    "Total": _DiagramReader._total,
}
