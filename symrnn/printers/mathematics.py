"""Mathematics for readers: one printer for every syntax whose tokens are in a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sympy import Rational

from symrnn.algebra.nodes import (
    ONE_BY_ONE,
    Act,
    Commutation,
    Expr,
    Fill,
    Hadamard,
    Ones,
    Shape,
    Slice,
    Stack,
    Total,
    Transposed,
    Variable,
    coefficient,
    hadamard,
    is_scalar,
)
from symrnn.algebra.nodes import number as count_of
from symrnn.algebra.spelling import letter_of
from symrnn.errors import MissingRuleError
from symrnn.printers.factors import EntrywiseFactors, is_power_of_root
from symrnn.printers.named import NAMED
from symrnn.printers.notation import Notation
from symrnn.printers.precedence import Level
from symrnn.printers.sizes import Sized, is_number, with_sizes
from symrnn.printers.syntax import OWN, Syntax, words_of

_WORD = re.compile(r"\\?[^\W\d_]\w*'?|\\operatorname\{(?:\w|\\_)+\}")
_PLACE = re.compile(r"<(\^?)(\d)>")
"""Where an argument stands in a function's template; with a caret, as what a superscript is put on."""


class MathPrinter:
    """Prints expressions in one syntax and one notation, in the order in which they were written.

    Nothing that it writes of its own looks like a variable: an author's parameter called I is shown as it is typed,
    unless I is among those for which the printer's own symbols give way.

    Args:
        syntax: the tokens.
        notation: how names look.
        yields: names for which the printer's own symbols give way.
    """

    def __init__(self, syntax: Syntax, notation: Notation, yields: frozenset[str] = frozenset()) -> None:
        self.syntax = syntax
        self.notation = notation
        self.yields = yields

    def __call__(self, expr: Expr) -> str:
        """The expression; ones, identities and zeros say their size where nothing else in it does."""
        return self.part(with_sizes(expr))

    def part(self, expr: Expr, outer: Level = Level.SUM) -> str:
        """A part of an expression, in brackets if it binds more loosely than `outer`."""
        printed, level = self.print_leveled(expr)
        return printed if level >= outer else self.bracket(printed)

    def print_leveled(self, expr: Expr) -> tuple[str, Level]:
        """The expression, and how tightly it binds.

        Raises:
            MissingRuleError: the table has no rule for it.
        """
        # Strictly by the table: what has no rule is refused, since a guess would be printed as mathematics.
        rule = _RULES.get(type(expr).__name__)
        if rule is None:
            raise MissingRuleError(f"no rule to print {type(expr).__name__}")
        return rule(self, expr)

    def bracket(self, printed: str) -> str:
        """In brackets that are tall enough."""
        # Only around a fraction: \left and \right change the spacing of what is not taller than a letter.
        left, right = self.syntax.tall_bracket if self.syntax.tall in printed else self.syntax.bracket
        return f"{left}{printed}{right}"

    def terms(self, expr: Expr) -> list[tuple[str, str]]:
        """The terms of a sum as (sign, rest), so that a document can break a long line between them."""
        return self._terms(with_sizes(expr))

    def _terms(self, expr: Expr) -> list[tuple[str, str]]:
        result = []
        for term in expr.args if type(expr).__name__ == "Sum" else (expr,):
            number, rest = coefficient(term)
            # SymPy's test, which knows the sign of -1/d_h too.
            negative = getattr(number, "could_extract_minus_sign", lambda: False)()
            shown = self._scaled(-number if negative else number, rest, Level.NEGATIVE, inside_sum=True)
            result.append(("-" if negative else "+", shown))
        return result

    def number(self, value: Any, level: Level = Level.SUM) -> str:
        """A number: whole, decimal where that is exact and short, else a fraction; or sizes, as in 1/d_h."""
        if isinstance(value, Rational):
            if value.q == 1:
                return str(value.p)
            return self._power_of_ten(value) or _decimal(value) or self._fraction(str(value.p), str(value.q), level)
        count, rest = value.as_coeff_Mul()
        if count.q != 1 and rest.as_numer_denom()[1] == 1 and _decimal(count):  # 0.3 d_k rather than 3 d_k / 10
            return f"{_decimal(count)}{self.syntax.space}{self.size(rest, Level.ATOM)}"
        top, bottom = value.as_numer_denom()
        if bottom == 1:
            return self.bracket(self.size(top)) if top.is_Add and level > Level.SUM else self.size(top)
        return self._fraction(self.size(top, Level.ATOM), self.size(bottom, Level.ATOM), level)

    def _power_of_ten(self, value: Rational) -> str:
        """A tiny number that is few digits and a power of ten, as 2 × 10⁻⁵; else nothing."""
        places = next((n for n in range(_TINY, _LEAST) if 10**n % value.q == 0), 0)
        digits = value * 10**places
        if not places or abs(digits) >= 10:
            return ""
        shown = self.syntax.power.format("10", -places)
        return shown if digits == 1 else f"{'-' if digits == -1 else f'{digits}{self.syntax.of_ten}'}{shown}"

    def size(self, dim: Any, outer: Level = Level.SUM) -> str:
        """A size such as d_h + d_x; in brackets under a slash, which does not group."""
        if (
            outer > self.syntax.fraction_level
            and (dim.is_Add or dim.is_Mul)
            and self.syntax.fraction_level < Level.POWER
        ):
            return self.bracket(self.size(dim))
        printed = ""
        for term in dim.as_ordered_terms():
            count, atoms = term.as_coeff_Mul()
            powers = atoms.as_powers_dict().items() if atoms != 1 else ()
            factors = [self._size_power(atom, exponent) for atom, exponent in powers]
            number = [self.number(abs(count))] if abs(count) != 1 or not factors else []
            sign = (" - " if count < 0 else " + ") if printed else "-" if count < 0 else ""
            # By name, so that a size always reads the same.
            printed += sign + self.syntax.space.join([*number, *sorted(factors)])
        return printed

    def size_name(self, name: str) -> str:
        """The name of one size, such as d_h."""
        return self._variable(Variable(name, 1, 1))[0]

    def letter(self, name: str) -> str:
        """One of the printer's own letters, or what it gives way to."""
        return self.syntax.instead[name] if name in self.yields else name

    def function(self, name: str) -> str:
        """The symbol of a function; its name in the table where a variable looks like the symbol."""
        return (
            self.syntax.word.format(name.replace("_", " "))
            if words_of(name) & self.yields
            else self.syntax.function(name)
        )

    def _size_power(self, dim: Any, exponent: Any) -> str:
        shown = self.bracket(self.size(dim)) if dim.is_Add else self.size_name(str(dim))
        return shown if exponent == 1 else self.syntax.power.format(shown, exponent)

    def _all_ones(self, shape: Shape, size: str = "") -> str:
        """Ones in a column or matrix; as a row, the transpose."""
        is_row = shape[0] == 1 and shape[1] != 1
        return self.syntax.ones + size + (self.syntax.transposed(self.notation) if is_row else "")

    def _sized(self, expr: Sized) -> tuple[str, Level]:
        """Ones, an identity or zeros with their size: one number for a vector and for what is square."""
        kind, shape = type(expr.atom).__name__, expr.shape
        sizes = shape[:1] if kind == "Eye" else [size for size in shape if size != 1] or shape[:1]
        shown = [self.bracket(self.size(n)) if n.is_Add and len(sizes) > 1 else self.size(n) for n in sizes]
        subscript = self.syntax.sized.format(self.syntax.times.join(shown))
        if kind == "Ones":
            return self._all_ones(shape, subscript), Level.POWER if shape[0] == 1 else Level.ATOM
        return self.print_leveled(expr.atom)[0] + subscript, Level.ATOM

    def _fraction(self, top: str, bottom: str, level: Level) -> str:
        shown = self.syntax.fraction.format(top, bottom)
        return shown if self.syntax.fraction_level >= level else self.bracket(shown)

    def _scaled(self, number: Any, rest: Expr, level: Level, inside_sum: bool = False) -> str:
        if isinstance(rest, Ones):
            plain = inside_sum or is_scalar(rest)
            return self.number(number) if plain else self._join_number(number, self._all_ones(rest.shape))
        if number == 1:
            return self.part(rest, level)
        quotient = EntrywiseFactors.of(rest)
        if quotient.divisors and isinstance(number, Rational) and abs(number) in _FRACTIONS:
            # As one fraction: a/(2 b) for (1/2) (a/b).
            top = (count_of(abs(number.p), ONE_BY_ONE),) if abs(number.p) != 1 else ()
            below = (count_of(number.q, ONE_BY_ONE), *quotient.divisors)
            sign = "-" if number < 0 else ""
            return sign + self._factors(replace(quotient, scalars=(*top, *quotient.scalars), divisors=below))[0]
        if quotient.is_reciprocal:  # the number stands above the line: 0.001 1 ⊘ a would read as 0.0011
            negative = number.could_extract_minus_sign()
            sign, count = ("-", -number) if negative else ("", number)
            bar_groups = bool(quotient.divisors) and self.syntax.fraction_level >= Level.POWER
            return sign + self._factors(quotient, self.number(count, Level.SUM if bar_groups else Level.POWER))[0]
        return self._join_number(number, self.part(rest, Level.HADAMARD))

    def _join_number(self, number: Any, rest: str) -> str:
        if number == 1:
            return rest
        sign = "-" if isinstance(number, Rational) and number < 0 else ""
        count = self.number(-number if sign else number, Level.POWER)
        return f"{sign}{rest}" if number == -1 else f"{sign}{count}{self.syntax.space}{rest}"

    # --- one rule a node: the printed text and how tightly it binds ---

    def _variable(self, expr: Variable) -> tuple[str, Level]:
        # With a time it cannot be mistaken: I_t is a gate, I the identity.
        renamed = expr.base in self.notation.looks or expr.base in self.notation.names
        if expr.time is None and not renamed and letter_of(expr.looks) in OWN - self.yields:
            rows, cols = expr.shape
            expr = Variable(expr.name, rows, cols, expr.base, None, expr.mark, f'"{expr.looks}"')
        return self.syntax.name(expr, self.notation), Level.ATOM

    def _sum(self, expr: Expr) -> tuple[str, Level]:
        (sign, first), *rest = self._terms(expr)
        printed = ("-" if sign == "-" else "") + first
        return printed + "".join(f" {sign} {term}" for sign, term in rest), Level.SUM

    def _product(self, expr: Expr) -> tuple[str, Level]:
        number, rest = coefficient(expr)
        if number != 1:
            level = Level.NEGATIVE if number.could_extract_minus_sign() else Level.HADAMARD
            return self._scaled(number, rest, Level.HADAMARD), level
        sign = self.syntax.product(self.notation)
        # In rows every name stands for the transpose, and so does every formula: (W x)ᵀ is xᵀ Wᵀ.
        factors = expr.args[::-1] if self.notation.rows else expr.args
        return sign.join(self.part(factor, Level.PRODUCT) for factor in factors), Level.PRODUCT

    def _hadamard(self, expr: Expr) -> tuple[str, Level]:
        return self._factors(EntrywiseFactors.of(expr))

    def _factors(self, factors: EntrywiseFactors, one: str = "1") -> tuple[str, Level]:
        """Scalars, in front or as a fraction, then the element-by-element factors and divisors."""
        entries, level = self._entries(factors, one)
        if not factors.scalars and not factors.divisors:
            return entries, level
        if not factors.divisors:
            return self._in_front(factors.scalars, entries, level)
        if not factors.above and not factors.below and entries:  # the fraction is the scalar that is repeated
            fraction = self._quotient(self._in_front(factors.scalars, "", level), factors.divisors, one)
            return fraction + self.syntax.space + entries, Level.HADAMARD
        top = self._in_front(factors.scalars, entries, level)
        return self._quotient(top, factors.divisors, one), self.syntax.fraction_level

    def _quotient(self, top: tuple[str, Level], divisors: tuple[Expr, ...], one: str) -> str:
        """A fraction; a bar groups what is above and below it, a slash does not."""
        needed = Level.SUM if self.syntax.fraction_level >= Level.POWER else Level.POWER
        parts = [shown if level >= needed else self.bracket(shown) for shown, level in (top, self._row(divisors))]
        return self.syntax.fraction.format(parts[0] or one, parts[1])

    def _row(self, scalars: tuple[Expr, ...]) -> tuple[str, Level]:
        """Scalars beside one another; only an inner product would run into its neighbour."""
        if len(scalars) == 1:
            return self.print_leveled(scalars[0])
        # Among scalars ⊙ is an ordinary product, and is written without a sign.
        printed = (
            self._argument(x)
            if is_number(x)
            else self.part(x, Level.PRODUCT if isinstance(x, Hadamard) else Level.POWER)
            for x in scalars
        )
        return self.syntax.space.join(printed), Level.PRODUCT if scalars else Level.ATOM

    def _in_front(self, scalars: tuple[Expr, ...], entries: str, level: Level) -> tuple[str, Level]:
        """Scalars and what they multiply, either of which may be missing."""
        if not entries or not scalars:
            return (entries, level) if entries else self._row(scalars)
        row, tight = self._row(scalars)
        open_row = (
            tight >= Level.POWER or len(scalars) > 1 or (isinstance(scalars[0], Hadamard) and tight == Level.PRODUCT)
        )
        shown = entries if level >= Level.PRODUCT else self.bracket(entries)
        return (row if open_row else self.bracket(row)) + self.syntax.space + shown, Level.HADAMARD

    def _entries(self, factors: EntrywiseFactors, one: str) -> tuple[str, Level]:
        """What is multiplied and divided entry by entry; nothing in a product of scalars alone."""
        if not factors.above and not factors.below:
            if factors.sized is not None:
                return self.print_leveled(factors.sized)
            return ("" if factors.shape == ONE_BY_ONE else self._all_ones(factors.shape)), Level.ATOM
        sign = self.syntax.hadamard(self.notation, factors.shape)
        if len(factors.above) == 1 and not factors.below:
            printed, level = self.print_leveled(factors.above[0])
            return (printed, level) if level >= Level.PRODUCT else (self.bracket(printed), Level.ATOM)
        printed = sign.join(self.part(factor, Level.POWER) for factor in factors.above)
        if not factors.below:
            return printed, Level.HADAMARD
        divisor = sign.join(self.part(factor, Level.POWER) for factor in factors.below)
        divisor = self.bracket(divisor) if len(factors.below) > 1 else divisor
        return self.syntax.reciprocal.format(printed or one, divisor), Level.HADAMARD

    def _power(self, expr: Expr) -> tuple[str, Level]:
        base, exponent = expr.args
        if exponent < 0 or is_power_of_root(expr):
            return self._factors(EntrywiseFactors.of(expr))
        if isinstance(base, Act) and _is_word(self.function(base.name)):
            if len(base.operands) > 1:  # sin^2(x) is customary, max^2(x, y) is not
                return self.syntax.power.format(self.part(base), exponent), Level.POWER
            raised = self.syntax.power.format(self.function(base.name), exponent)
            return raised + self._arguments(base), Level.POWER
        return self.syntax.power.format(self._base(base), exponent), Level.POWER

    def _base(self, expr: Expr) -> str:
        """What a superscript can be put on: in brackets unless it is one symbol without a superscript."""
        printed = self.part(expr)
        named = NAMED.get(type(expr).__name__)
        simple = isinstance(expr, Stack) or (named is not None and named.is_symbol)
        simple = simple or (isinstance(expr, Variable) and self._is_letter(expr) and not self._is_raised(expr))
        # Bars group as brackets do.
        bars = isinstance(expr, Act) and self.function(expr.name).endswith("|")
        return printed if simple or bars else self.bracket(printed)

    def _arguments(self, expr: Act) -> str:
        return self.bracket(", ".join(self._argument(x) for x in expr.operands))

    def _argument(self, expr: Expr) -> str:
        """An argument of a function that is applied entry by entry: a number needs no vector of ones there."""
        if isinstance(expr, Act) and is_number(expr):
            return self._called(expr)[0]
        number, rest = coefficient(expr)
        return self.number(number) if isinstance(rest, Ones) else self.part(expr)

    def _act(self, expr: Act) -> tuple[str, Level]:
        """A function; of a number alone, with the vector of ones that tells that it is no scalar."""
        shown, level = self._called(expr)
        if is_scalar(expr) or not is_number(expr):
            return shown, level
        return f"{shown}{self.syntax.space}{self._all_ones(expr.shape)}", Level.HADAMARD

    def _called(self, expr: Act) -> tuple[str, Level]:
        symbol = self.function(expr.name)
        if _PLACE.search(symbol):
            shown = _PLACE.sub(lambda place: self._in_place(expr.operands[int(place[2])], bool(place[1])), symbol)
            return shown, Level.POWER if "<^" in symbol else Level.ATOM
        return symbol + self._arguments(expr), Level.ATOM if _is_word(symbol) else Level.PRODUCT

    def _in_place(self, expr: Expr, is_base: bool) -> str:
        """An argument in a function's template; with a superscript where it is a base."""
        # A number under an exponent needs no bracket: 2^x.
        plain = isinstance(coefficient(expr)[1], Ones)
        return self._argument(expr) if plain or not is_base else self._base(expr)

    def _transposed(self, expr: Transposed) -> tuple[str, Level]:
        return self._base(expr.arg) + self.syntax.transposed(self.notation), Level.POWER

    def _is_letter(self, variable: Variable) -> bool:
        """Whether it is one letter, accents and indices aside, and no derivative in front of one."""
        has_bar = variable.is_sent_back and self.notation.adjoint == self.notation.of_gradients == "bar"
        return has_bar or variable.mark in ("", "cotangent")

    def _is_raised(self, variable: Variable) -> bool:
        look = self.notation.look(variable.base, variable.looks)
        return (
            bool(look.above) or "prime" in look.head.accents or (variable.time is not None and self.notation.is_raised)
        )

    def _fill(self, expr: Fill) -> tuple[str, Level]:
        return self._factors(EntrywiseFactors.of(expr))

    def _named(self, expr: Expr) -> tuple[str, Level]:
        return self.syntax.operator(type(expr).__name__) + self.bracket(self.part(expr.args[0])), Level.ATOM

    def _total(self, expr: Total) -> tuple[str, Level]:
        inner = expr.operand
        if isinstance(inner, Hadamard) and len(inner.args) > 1 and 1 not in inner.shape:
            first, *others = inner.args
            left, right = self.syntax.inner
            return f"{left}{self.part(first)}, {self.part(hadamard(*others))}{right}", Level.ATOM
        shown = [self.syntax.ones + self.syntax.transposed(self.notation), self.part(inner, Level.PRODUCT)]
        if inner.shape[1] != 1:
            shown.append(self.syntax.ones)
        if self.notation.rows:
            # 1 is a row there: what was on its left as a row is a column on the right.
            shown = [self.part(inner, Level.PRODUCT), self.syntax.ones + self.syntax.transposed(self.notation)]
            shown = [*([self.syntax.ones] if inner.shape[1] != 1 else []), *shown]
        return self.syntax.product(self.notation).join(shown), Level.PRODUCT

    def _stack(self, expr: Stack) -> tuple[str, Level]:
        left, right = self.syntax.square
        return f"{left}{f'{self.notation.stacked} '.join(self.part(part) for part in expr.args)}{right}", Level.ATOM

    def _slice(self, expr: Slice) -> tuple[str, Level]:
        start, stop = expr.bounds
        inner = self.bracket(self.part(expr.operand))
        return self.syntax.slice.format(inner, self.size(start + 1), self.size(stop)), Level.ATOM

    def _kronecker(self, expr: Expr) -> tuple[str, Level]:
        return self.syntax.kronecker.join(self.part(factor, Level.POWER) for factor in expr.args), Level.HADAMARD

    def _commutation(self, expr: Commutation) -> tuple[str, Level]:
        return self.syntax.commutation.format(self.letter("K"), *map(self.size, expr.of_shape)), Level.ATOM


_DIGITS, _LONGEST = 6, 12
"""A decimal has at most so many digits that count, and so many characters: what a reader takes in at a glance."""

_TINY, _LEAST = 4, 31
"""Decimal places from which on, and up to which, zeros are counted for the reader: 0.001 is read at a glance, 0.0001 is
not; 1e-30 is about the least that anybody adds to a divisor in single precision."""

_FRACTIONS = frozenset({Rational(1, 2), Rational(1, 4), Rational(3, 4)})
"""Numbers that are fractions to everybody; of others that end, 0.125 and 12.5, the decimals are read more easily."""


def _decimal(value: Rational) -> str:
    """The number as a decimal, where that is exact and short; else nothing."""
    # Exact only: a rounded number in a formula would be another formula.
    places = next((n for n in range(1, _LONGEST) if 10**n % value.q == 0), 0)
    places = 0 if abs(value) in _FRACTIONS else places
    digits = str(abs(value.p) * 10**places // value.q).rjust(places + 1, "0")
    if not places or len(digits.strip("0")) > _DIGITS or places + 2 > _LONGEST:
        return ""
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _is_word(symbol: str) -> bool:
    """Whether a function's symbol is one word, as tanh is and log σ is not."""
    return _WORD.fullmatch(symbol) is not None


_RULES: Mapping[str, Callable[[MathPrinter, Any], tuple[str, Level]]] = {
    "Variable": MathPrinter._variable,
    "Sum": MathPrinter._sum,
    "Product": MathPrinter._product,
    "Hadamard": MathPrinter._hadamard,
    "Power": MathPrinter._power,
    "Transposed": MathPrinter._transposed,
    "Act": MathPrinter._act,
    "Fill": MathPrinter._fill,
    "Total": MathPrinter._total,
    "Stack": MathPrinter._stack,
    "Slice": MathPrinter._slice,
    "Kronecker": MathPrinter._kronecker,
    "Commutation": MathPrinter._commutation,
    "Ones": lambda self, expr: ("1" if is_scalar(expr) else self._all_ones(expr.shape), Level.ATOM),
    "Zeros": lambda self, expr: ("0", Level.ATOM),
    "Sized": MathPrinter._sized,
    "Eye": lambda self, expr: ("1" if is_scalar(expr) else self.letter("I"), Level.ATOM),
    **dict.fromkeys(NAMED, MathPrinter._named),
}
