"""Random cells as texts: a table of what can be written, with arbitrary expressions as operands.

A new operator of the language is one row of `ROWS`; a new function of the table of functions is drawn at once.  A
choice is made by a seeded generator, so that one number stands for one text.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symrnn.algebra.functions import FUNCTIONS
from symrnn.errors import ShapeError
from symrnn.language.operations import STRUCTURAL
from symrnn.language.recurrence import Cell

Shape = tuple[str, ...]
"""The sizes of a value, as an annotation writes them: () a scalar, ("d_h", "d_h + d_x") a matrix."""

AXES = ("d_h", "d_x", "d_k", "d_h + d_x", "2 * d_h", "d_k + 2", "3")
"""The sizes that are drawn."""

_PARTS: Mapping[str, Shape] = {"d_h + d_x": ("d_h", "d_x"), "2 * d_h": ("d_h", "d_h"), "d_k + 2": ("2", "d_k")}
_LITERALS = ("1", "2", "0.5", "0.1", "3", "1e-1", "(1 / 3)", "0.7", "(2 ** -1)")

PLAIN = "x u y h c m n r z k v w a b W U V A B E p q alpha beta_1 g i f o s".split()
AWKWARD = """
T N D H S Q I L O E t np bool int float str len range dict zip list set slice tuple hasattr isinstance reversed
enumerate ValueError TypeError print object id input iter map pow round vars dir type all any bytes super params state
tape grads sizes dtype rng uniform start end given arrays name shape bound initialize forward backward input_size
hidden_size PARAMETERS STATES TAPE steps batch total rows count values wanted parameters sensitivity truncate unknown
array part unit moved v_dot dx grads_dot params_dot state_dot state_bar_dot x_dot h_dot u1 u2 u3 a_h s_h a_c h_x
h_bar_loss h_bar_in h_bar_dot tanh_h x_ h_ W1 w1 W_1 unit_d_h unit_d_h_d_x numpy array_ match case self cls math pi
gamma zeta Sum Matrix symbols J K one two T_ N_ np_ dL loss grad delta eps lr out hidden cell time seq
""".split()
"""Names that Python, NumPy, SymPy or generated modules use, and that look like those of a derivation."""
NAMES = [name for name in dict.fromkeys((*PLAIN, *AWKWARD)) if name not in FUNCTIONS and name not in STRUCTURAL]
SIZES = ("d_h", "d_x", "d_k")


@dataclass(frozen=True)
class Drawn:
    """A cell's text, and the shapes that it was written with.

    Attributes:
        text: the text.
        shapes: name -> shape, of inputs, states and parameters.
    """

    text: str
    shapes: Mapping[str, Shape]

    @property
    def cell(self) -> Cell:
        """The cell that the package reads."""
        return Cell.from_source(self.text)


def entries(axis: str, sizes: Mapping[str, int]) -> int:
    """The number of entries along an axis."""
    total = 0
    for term in axis.split("+"):
        count, _, name = term.strip().rpartition("*")
        total += int(count or 1) * (int(name) if name.strip().isdigit() else sizes[name.strip()])
    return total


@dataclass(frozen=True)
class Row:
    """Something that can be written.

    Attributes:
        name: what it is: an operator, or a function of the language.
        ranks: the numbers of axes that its result can have.
        write: `write(writer, shape, depth)` -> the text, in brackets where it needs them.
        weight: how often it is drawn, compared with the others.
    """

    name: str
    ranks: tuple[int, ...]
    write: Callable[[Writer, Shape, int], str]
    weight: int = 1


@dataclass
class Writer:
    """Writes the expressions of one cell."""

    random: random.Random
    names: list[str]
    known: dict[str, Shape] = field(default_factory=dict)
    parameters: dict[str, Shape] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    arguments: tuple[str, ...] = ()  # the inputs and states
    wanted: Row | None = None  # what the next operand is where it fits: every operator meets every operand

    def chance(self, share: float) -> bool:
        """True in this share of all cases."""
        return self.random.random() < share

    def pick(self, options: Sequence[Any]) -> Any:
        """One of them."""
        return self.random.choice(options)

    def leaf(self, shape: Shape) -> str:
        """A name with this shape: a known one or a new parameter."""
        named = [name for name, other in self.known.items() if other == shape]
        if not named or self.chance(0.25):
            named = [self.names.pop()]
            self.parameters[named[0]] = self.known[named[0]] = shape
        name = self.pick(named)
        self.read.add(name)
        return name

    def value(self, shape: Shape, depth: int) -> str:
        """The text of an expression of this shape, in brackets where it needs them."""
        if self.wanted is not None and len(shape) in self.wanted.ranks:
            row, self.wanted = self.wanted, None
            return row.write(self, shape, max(depth - 1, 0))
        if depth <= 0 or self.chance(0.1):
            return self.leaf(shape)
        row = self.pick([row for row in ROWS for _ in range(row.weight) if len(shape) in row.ranks])
        return row.write(self, shape, depth - 1)

    def vector(self, depth: int) -> str:
        """The text of a vector of any size."""
        return self.value((self.pick(AXES),), depth)

    def any(self, depth: int) -> str:
        """The text of an expression of any shape."""
        return self.value(self.shape(), depth)

    def shape(self) -> Shape:
        """Any shape."""
        return tuple(self.pick(AXES) for _ in range(self.pick([0, 1, 1, 2, 2])))

    def argument(self, shape: Shape, depth: int) -> str:
        """An operand of an operation on each entry: of the shape, a scalar, or a number."""
        kind = self.random.random()
        if kind < 0.15:
            return self.pick(_LITERALS)
        return self.value(() if kind < 0.35 else shape, depth)

    def mention(self, name: str) -> str:
        """A scalar that reads the name."""
        self.read.add(name)
        return f"0.5 * sum({name})" if self.known[name] else f"0.5 * {name}"


ANY = (0, 1, 2)

_GUARDS: Mapping[str, str] = {"": "{}", "positive": "({}) ** 2 + 0.5"}
"""What keeps an argument in a function's domain; positive numbers are in every one."""


def _entrywise(operator: str) -> Callable[[Writer, Shape, int], str]:
    def write(w: Writer, shape: Shape, depth: int) -> str:
        left, right = w.value(shape, depth), w.argument(shape, depth)
        if w.chance(0.5):
            left, right = right, left
        return f"({left} {operator} {right})"

    return write


def _quotient(w: Writer, shape: Shape, depth: int) -> str:
    """A divisor is an arbitrary expression too, kept away from zero."""
    above, below = w.value(shape, depth), w.argument(shape, depth)
    if w.chance(0.5):
        above, below = below, above
    return f"({above} / {w.pick(['(2 + {} ** 2)', 'exp(tanh({}))', '(1.5 + sin({}))']).format(below)})"


def _function(w: Writer, shape: Shape, depth: int) -> str:
    row = FUNCTIONS[w.pick(list(FUNCTIONS))]
    count = w.random.randint(row.needed, row.arity)
    operand = w.value if row.domain else w.argument  # a number may be refused where it is known to be outside
    arguments = [w.value(shape, depth), *(operand(shape, depth) for _ in range(count - 1))]
    if row.kinks:  # at 0 it would sit where relu and step are on half of all arguments: relu(relu(x)) is nowhere smooth
        arguments[0] = f"{arguments[0]} - 0.37"
    if count == row.arity > 1 and w.chance(0.5):
        arguments.reverse()
    domain = row.domain or ("",) * row.arity
    arguments = [_GUARDS.get(d, _GUARDS["positive"]).format(a) for d, a in zip(domain, arguments, strict=False)]
    return f"{row.name}({', '.join(arguments)})"


def _power(w: Writer, shape: Shape, depth: int) -> str:
    inner = w.value(shape, depth)
    return w.pick(["({} ** 2)", "({} ** 3)", "((2 + {} ** 2) ** -1)", "((1.5 + sin({})) ** -2)"]).format(inner)


def _inner(w: Writer, shape: Shape, depth: int) -> str:
    shared = (w.pick(AXES),)
    return f"({w.value(shared, depth)} @ {w.value(shared, depth)})"


def _form(w: Writer, shape: Shape, depth: int) -> str:
    """A bilinear form."""
    rows, cols = w.pick(AXES), w.pick(AXES)
    matrix = w.value((rows, cols), depth)
    return f"({w.value((rows,), depth)} @ {matrix} @ {w.value((cols,), depth)})"


def _split(w: Writer, shape: Shape, depth: int) -> str:
    if shape != ("d_h",):
        return w.value(shape, depth)
    return f"split({w.value(('2 * d_h',), depth)}, 2)[{w.pick('01')}]"


def _matrix_vector(w: Writer, shape: Shape, depth: int) -> str:
    other = w.pick(AXES)
    if w.chance(0.5):
        return f"({w.value((shape[0], other), depth)} @ {w.value((other,), depth)})"
    return f"({w.value((other,), depth)} @ {w.value((other, shape[0]), depth)})"


def _matrices(w: Writer, shape: Shape, depth: int) -> str:
    other = w.pick(AXES)
    return f"({w.value((shape[0], other), depth)} @ {w.value((other, shape[1]), depth)})"


def _concat(w: Writer, shape: Shape, depth: int) -> str:
    parts = _PARTS.get(shape[0])
    if parts is None:
        return w.value(shape, depth)
    return f"concat({', '.join(w.value((part,), depth) for part in parts)})"


_CUT: Mapping[str, Sequence[tuple[str, str]]] = {
    "d_h": (("d_h + d_x", "[: d_h]"), ("2 * d_h", "[: d_h]"), ("2 * d_h", "[d_h :]")),
    "d_x": (("d_h + d_x", "[d_h :]"),),
}
"""Some rows of a value: how many they are -> how many the value has, and how they are cut out."""


def _rows(w: Writer, shape: Shape, depth: int) -> str:
    """At sizes that an argument tells; the others have nothing to be read off."""
    told = any("d_h" in w.known[name] for name in w.arguments)
    if not told or shape[0] not in _CUT:
        return w.value(shape, depth)
    whole, cut = w.pick(_CUT[shape[0]])
    return f"({w.value((whole, *shape[1:]), depth)}){cut}"


def _spread(w: Writer, shape: Shape, depth: int) -> str:
    """A vector for every column or every row of a matrix."""
    vector, place = w.pick([(shape[:1], "[:, None]"), (shape[1:], "[None, :]")])
    pair = [w.value(shape, depth), f"({w.value(vector, depth)}){place}"]
    w.random.shuffle(pair)
    return f"({pair[0]} {w.pick('+-*')} {pair[1]})"


def _along(name: str) -> Callable[[Writer, Shape, int], str]:
    """A matrix to a vector, along either axis."""

    def write(w: Writer, shape: Shape, depth: int) -> str:
        axis, other = w.pick([0, 1]), w.pick(AXES)
        matrix = (other, shape[0]) if axis == 0 else (shape[0], other)
        return f"{name}({w.value(matrix, depth)}, axis={axis})"

    return write


def _constant(w: Writer, shape: Shape, depth: int) -> str:
    if not shape:
        return w.pick(["sqrt(size({}))", "exp(0.5 + 0 * sum({}))", "(size({}) ** -1)"]).format(w.any(0))
    repeated = w.pick(_LITERALS) if w.chance(0.4) else w.value((), depth)
    return w.pick(["({})", "sin({})", "exp(tanh({}))"]).format(f"0 * {w.leaf(shape)} + {repeated}")


ROWS: Sequence[Row] = (
    Row("+", ANY, _entrywise("+"), 2),
    Row("-", ANY, _entrywise("-"), 2),
    Row("*", ANY, _entrywise("*"), 2),
    Row("/", ANY, _quotient),
    Row("**", ANY, _power),
    Row("unary -", ANY, lambda w, s, d: f"(-{w.value(s, d)})"),
    Row("a function", ANY, _function, 3),
    Row("a constant", ANY, _constant, 2),
    Row("@", (0,), _inner, 3),
    Row("@", (0,), _form, 2),
    Row("sum", (0,), lambda w, s, d: f"sum({w.any(d)})", 2),
    Row("mean", (0,), lambda w, s, d: f"mean({w.any(d)})", 2),
    Row("size", (0,), lambda w, s, d: f"size({w.any(d)})", 2),
    Row("@", (1,), _matrix_vector, 6),
    Row("softmax", (1,), lambda w, s, d: f"softmax({w.value(s, d)})"),
    Row("concat", (1,), _concat),
    Row("split", (1,), _split),
    Row("[:]", (1, 2), _rows, 2),
    Row("sum", (1,), _along("sum")),
    Row("mean", (1,), _along("mean")),
    Row("max", (1,), _along("max")),
    Row("max", (0,), lambda w, s, d: f"max({w.vector(d)})"),
    Row("min", (1,), _along("min")),
    Row("min", (0,), lambda w, s, d: f"min({w.vector(d)})"),
    Row("softmax", (2,), lambda w, s, d: f"softmax({w.value(s, d)}, axis={w.pick([0, 1])})"),
    Row("@", (2,), _matrices, 3),
    Row("outer", (2,), lambda w, s, d: f"outer({w.value(s[:1], d)}, {w.value(s[1:], d)})", 3),
    Row("[:, None]", (2,), _spread, 2),
    Row(".T", (2,), lambda w, s, d: f"({w.value(s[::-1], d)}).T", 3),
)
"""What can be written; every operand is an arbitrary expression."""

PAIRS = [(outer, inner) for outer in ROWS for inner in ROWS]
"""Operators and what stands in them: one equation after the other begins with the next pair."""

_BOUNDED = ("tanh({})", "sigmoid({})", "sin({})", "cos({})", "softsign({} + 0.37)", "({} / (2 + {} ** 2))")
"""What keeps a state small over many steps."""


def draw(seed: int, equations: int = 6, depth: int = 3) -> Drawn:
    """The cell that a number stands for: 1 to 3 inputs, 1 to 3 states of any shape, up to so many equations."""
    choices = random.Random(seed)
    names = choices.sample(NAMES, len(NAMES))
    writer = Writer(choices, names)
    shapes = [(), *((axis,) for axis in AXES), *((a, b) for a in AXES[:4] for b in AXES[:5])]
    states = {names.pop(): choices.choice([("d_h",), ("d_h",), *shapes])}
    for _ in range(choices.choice([0, 0, 1, 2])):
        states[names.pop()] = choices.choice(shapes)
    inputs = {names.pop(): choices.choice([("d_x",), ("d_x",), *shapes])}
    for _ in range(choices.choice([0, 0, 1, 2])):
        inputs[names.pop()] = choices.choice(shapes)
    writer.known |= inputs | states
    writer.arguments = (*inputs, *states)
    lines = [names.pop() for _ in range(choices.randint(0, max(equations - len(states), 0)))]
    body = []
    for number, name in enumerate(lines):
        outer, inner = PAIRS[(equations * seed + number) * 7 % len(PAIRS)]  # 7 divides no number of pairs: all are met
        shape = choices.choice([shape for shape in shapes if len(shape) in outer.ranks])
        writer.wanted = inner
        body.append((name, shape, outer.write(writer, shape, choices.randint(1, depth))))
        writer.wanted = None
        writer.known[name] = shape
    for name in choices.sample(list(states), len(states)):
        body.append((name, states[name], writer.value(states[name], choices.randint(1, depth))))
    used = [name for name, _, _ in body if name not in states]
    unread = [name for name in (*inputs, *used) if name not in writer.read]
    last, shape, value = body[-1]
    body[-1] = (last, shape, " + ".join([value, *map(writer.mention, unread)]))
    body = [(n, s, choices.choice(_BOUNDED).replace("{}", f"({v})") if n in states else v) for n, s, v in body]
    return _annotated(choices, inputs, states, writer.parameters, body)


def _annotated(
    choices: random.Random,
    inputs: dict[str, Shape],
    states: dict[str, Shape],
    parameters: dict[str, Shape],
    body: Sequence[tuple[str, Shape, str]],
) -> Drawn:
    """The text with some annotations, or with all where the language would read other shapes."""
    positional = dict(choices.sample([*inputs.items(), *states.items()], len(inputs) + len(states)))
    shapes = inputs | states | parameters
    for share in (choices.random(), 1.0):
        told = {name for name in shapes if choices.random() < share or share == 1.0}
        arguments = [_argument(choices, name, positional[name], name in told) for name in positional]
        if parameters:
            arguments += ["*", *(_argument(choices, p, s, p in told) for p, s in parameters.items())]
        lines = [
            f"    {_argument(choices, name, shape, choices.random() < 0.1)} = {value}\n" for name, shape, value in body
        ]
        text = f"def drawn({', '.join(arguments)}):\n{''.join(lines)}    return {', '.join(states)}\n"
        drawn = Drawn(text, shapes)
        if share == 1.0 or _reads_so(drawn):
            break
    return drawn


def _argument(choices: random.Random, name: str, shape: Shape, told: bool) -> str:
    """A name, with one of the ways to write its shape."""
    if not told:
        return name
    inside = ", ".join(shape)
    forms = ["({})", "{}", "({},)"] if shape else ["()"]
    return f'{name}: "{choices.choice(forms).format(inside)}"'


def _reads_so(drawn: Drawn) -> bool:
    """Whether the language finds the shapes that were meant."""
    try:
        cell = drawn.cell
    except ShapeError:
        return False
    if not set(cell.sizes) <= set(SIZES):
        return False
    for sizes in ({"d_h": 101, "d_x": 1009, "d_k": 10007}, {"d_h": 10007, "d_x": 101, "d_k": 1009}):
        for name, shape in drawn.shapes.items():
            meant = [entries(axis, sizes) for axis in shape]
            if [entries(axis, sizes) for axis in cell.shape_names(name)] != meant:
                return False
    return True
