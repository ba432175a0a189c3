"""A program -> the source of `initialize`, `forward`, `step` and `backward`, the functions that every module has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.language.recurrence import Cell
from symrnn.program.ir import Program
from symrnn.targets.numpy.function import FunctionWriter, function_source
from symrnn.targets.numpy.layout import tuple_source
from symrnn.targets.numpy.statements import broken, indented, print_statements
from symrnn.targets.numpy.values import rank

_CHECK_SIZES = (
    "    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:",
    '        raise ValueError(f"{name}: expected a whole number from 1, got {size!r}")',
)
_TRUNCATE_DOC = (
    "    truncate: None, or (k1, k2) for truncated backpropagation through time: after every k1 steps, and after the",
    "        last one, the loss of the steps since then goes back through the k2 steps before, and stops there.",
)
_PUBLIC_SIZES = {"d_x": "input_size", "d_h": "hidden_size"}


@dataclass
class PassWriter(FunctionWriter):
    """Writes the functions that every module has.

    Attributes:
        single: a program whose forward loop body is one complete step.
    """

    single: Program

    def initialize(self) -> str:
        """The source of `initialize`."""
        cell, layout = self.cell, self.layout
        first = [size for size in _PUBLIC_SIZES if size in cell.sizes]
        public = {size: _PUBLIC_SIZES.get(size, layout.size(size)) for size in (*first, *cell.sizes)}
        biases = _biases(cell)
        rows = []
        for name in cell.parameters:
            shape = layout.shape(layout.dims(name))
            rows.append(f'"{name}": ' + (f"np.zeros({shape}, dtype)," if name in biases else f"uniform({shape}),"))
        doc = [
            "Random parameters: weights uniform within ±1/sqrt(their last size), biases zero.",
            "",
            "Args:",
            *(f"    {name}: the size {size}, a whole number from 1." for size, name in public.items()),
            "    rng: a numpy.random.Generator, a seed, or None for fresh randomness.",
            "    dtype: the parameters' floating-point type.",
            "",
            "Returns:",
            "    A dict with the keys and shapes of PARAMETERS.",
        ]
        sizes = ", ".join(f'"{name}": {name}' for name in public.values())
        lines = [
            *([f"for name, size in {{{sizes}}}.items():"] if public else []),
            *(_CHECK_SIZES if public else ()),
            'if np.dtype(dtype).kind != "f":',
            '    raise ValueError(f"dtype: expected a floating-point type, got {dtype!r}")',
            *(f"{layout.size(size)} = {name}" for size, name in public.items() if layout.size(size) != name),
            "rng = np.random.default_rng(rng)",
            "",
            "def uniform(shape):",
            "    bound = 1 / np.sqrt(shape[-1]) if shape else 1",
            "    return np.asarray(rng.uniform(-bound, bound, shape), dtype)",
            "",
            "return {",
            *indented(rows),
            "}",
        ]
        head = f"def initialize({', '.join([*public.values(), 'rng=None', 'dtype=np.float64'])}):"
        return function_source(head, doc, lines)

    def forward(self) -> str:
        """The source of `forward`."""
        cell, layout, function = self.cell, self.layout, self.program.forward
        in_loop = function.loop.writes & set(self.program.tape)
        stored = {v for s in function.before for v in s.writes} | in_loop | {cell[name] for name in cell.inputs}
        output = layout.own(cell.states[0])
        doc = [
            "Run the cell over a batch of sequences.",
            "",
            *self.over_sequence_lines(),
            self.initial_state_line(),
            "",
            "Returns:",
            f"    {output}: the output of every step, {self.shape(cell.states[0], (layout.steps, layout.batch))}.",
            "    state: the states after the last step, a dict like the argument.",
            "    tape: what `backward` needs; leave the arrays in it, and the inputs, unchanged until then.",
        ]
        body = [*self.initial_states("start")]
        if function.before:
            body += ["", "# for all steps at once: what depends on the inputs alone"]
            body += print_statements(layout, function.before, "all", stored)
        body.append("")
        body += self.buffers(function, in_loop)
        body += self.start_loop()
        body += [f"for t in range({layout.steps}):", *indented(self.loop_body(function, stored)), ""]
        kept = [f'"{layout.identifier(v)}": {layout.identifier(v)}' for v in self.program.tape]
        kept += [f'"{layout.own(s)}": {layout.own(s)}' for s in cell.states]
        body += broken("tape = {", kept, "}")
        final = ", ".join(f'"{s}": {layout.own(s)}[-1].copy()' for s in cell.states)
        # Copies: a caller may change what is returned, and the tape holds the same array.
        body.append(f"return {output}[1:].copy(), {{{final}}}, tape")
        arguments = [*self.sequence_arguments(), "state=None"]
        return self.compute("forward", arguments, doc, self._read_arguments(over_time=True), body)

    def step(self) -> str:
        """The source of `step`."""
        cell, layout = self.cell, self.layout
        arguments = [f"{layout.own(name)}_t" for name in cell.inputs]
        doc = [
            "Run the cell for one time step.",
            "",
            "Args:",
            self.params_line(),
            *self.input_lines((layout.batch,), "_t"),
            f"    state: a dict with the states before the step, {self.state_shapes()}; zeros if None.",
            "",
            "Returns:",
            "    The states after the step, a dict like the argument.",
        ]
        body = self.initial_states("start")
        if self.single.forward.reads & set(cell.previous):
            previous = [layout.identifier(v) for v in cell.previous]
            body.append(f"{', '.join(previous)}{',' if len(previous) == 1 else ''} = start")
        body += print_statements(layout, self.single.forward, "single")
        final = ", ".join(f'"{s}": {layout.own(s)}' for s in cell.states)
        body.append(f"return {{{final}}}")
        read = self._read_arguments(over_time=False)
        return self.compute("step", [*arguments, "state=None"], doc, read, body)

    def backward(self, truncated: bool = False) -> str:
        """The source of `backward`, which with `truncated` can cut the sequence into windows."""
        cell, layout = self.cell, self.layout
        output, cotangent = cell.states[0], layout.cotangent(cell.states[0])
        gradients = [layout.cotangent(name) for name in cell.inputs]
        doc = [
            "Gradients of a loss, by backpropagation through time.",
            "",
            "Args:",
            "    params: the parameters that `forward` was given.",
            "    tape: what `forward` returned.",
            *self.cotangent_lines(cotangent),
            "    state_bar: a dict with the loss's derivatives with respect to the states after the last step,",
            f"        {self.state_shapes()}; None for zeros.",
            *(_TRUNCATE_DOC if truncated else ()),
            "",
            "Returns:",
            "    grads: the gradients of the parameters, a dict like `params`, summed over steps and examples.",
            *(
                f"    {gradient}: the gradient of {name}."
                for gradient, name in zip(gradients, cell.inputs, strict=True)
            ),
            "    state_bar: the gradients of the initial states, a dict like the argument.",
        ]
        zeros = layout.allocate("zeros", layout.dims(output), (layout.steps, layout.batch))
        body = [f"{cotangent} = {zeros} if {cotangent} is None else end.pop(0)", *self.initial_states("end")]
        body += self.backward_body()
        carried = [layout.identifier(v) for v in self.carried()]
        final = ", ".join(f'"{s}": {name}.copy()' for s, name in zip(cell.states, carried, strict=True))
        body.append(f"return {', '.join(['grads', *gradients])}, {{{final}}}")
        arguments = ["tape", cotangent, "state_bar=None", *(["truncate=None"] if truncated else [])]
        read = self._read_backward(cotangent, truncated)
        return self.compute("backward", arguments, doc, read, body)

    # --- their arguments ---

    def _read_arguments(self, over_time: bool) -> list[str]:
        cell, layout = self.cell, self.layout
        lines = [
            *self.read_inputs(over_time),
            "if state is not None:",
            f'    given |= _items("state", state, STATES, {tuple_source(layout.step_lead)})',
            *self.checked(over_time),
        ]
        names = [layout.own(name) for name in (*cell.parameters, *cell.inputs)]
        return [*lines, *_unpacked(names, "start")]

    def _read_backward(self, cotangent: str, truncated: bool) -> list[str]:
        cell, layout = self.cell, self.layout
        read = self.program.backward.reads
        states = {v.base for v in read if v.mark == ""}
        # What the gradients do not read is checked all the same, and thrown away.
        names = [layout.own(p) if cell[p] in read else "_" for p in cell.parameters]
        names += [layout.identifier(v) for v in self.program.tape]
        names += [layout.own(s) if s in states else "_" for s in cell.states]
        output = layout.own(cell.states[0])
        shape = layout.shape_names(layout.dims(cell.states[0]), layout.series_lead)
        call = f"_truncated(params, tape, {cotangent}, state_bar, truncate)"
        return [
            'given = _items("params", params, PARAMETERS) | _items("tape", tape, TAPE)',
            f"if {cotangent} is not None:",
            f'    given["{cotangent}"] = ({cotangent}, {shape})',
            "if state_bar is not None:",
            f'    given |= _items("state_bar", state_bar, STATES, {tuple_source(layout.step_lead)})',
            self.check(f'np.asarray(tape["{output}"]).dtype'),
            *(("if truncate is not None:", f"    return {call}") if truncated else ()),
            *_unpacked(names, "end"),
        ]


def _unpacked(names: Sequence[str], rest: str) -> list[str]:
    """The arrays by name, and a list of those that follow."""
    if len(names) < 200:
        return broken("(", [*names, f"*{rest}"], ") = arrays")
    count = len(names)  # Python takes at most 255 names before a starred one
    return [*broken("(", names, f") = arrays[:{count}]"), f"{rest} = arrays[{count}:]"]


def _biases(cell: Cell) -> set[str]:
    """The scalar and vector parameters that are only ever added: they start at zero."""

    def factors(expr: Expr, added: bool) -> set[Variable]:
        if isinstance(expr, Variable):
            return set() if added else {expr}
        # A repeated or scaled bias is one still.
        is_sum = isinstance(expr, nodes.Sum | nodes.Fill) or nodes.coefficient(expr)[0] != 1
        inner = [arg for arg in expr.args if getattr(arg, "is_Matrix", False)]
        return {v for arg in inner for v in factors(arg, is_sum and (added or isinstance(expr, nodes.Sum)))}

    multiplied = {v for equation in cell.body for v in factors(equation.value, False)}
    return {name for name in cell.parameters if rank(cell[name].shape) < 2 and cell[name] not in multiplied}
