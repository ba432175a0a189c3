"""What every function of a generated NumPy module is made of: a head, checked arguments, loops over time.

The functions themselves are written in `passes`, `tangent` and `rtrl`.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from symrnn.algebra.nodes import Variable
from symrnn.language.recurrence import Cell
from symrnn.program.ir import Accumulate, Assign, Function, Program
from symrnn.targets.numpy.layout import ModuleNames, tuple_source
from symrnn.targets.numpy.statements import broken, indented, print_statements

_STEPS = '''\
def _steps(name, value, sizes):
    """The number of steps, checked."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise ValueError(f"{name}: expected the number of steps, a whole number from 0, got {value!r}")
    if sizes.get(name, value) != value:
        raise ValueError(f"{name}: expected {sizes[name]} steps, as the other arguments have, got {value}")
    return int(value)
'''


@dataclass
class FunctionWriter:
    """Writes functions of one program.

    Attributes:
        program: the program.
        layout: the names, shared by all functions of a module.
    """

    program: Program
    layout: ModuleNames

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.program.derivation.cell

    def carried(self) -> tuple[Variable, ...]:
        """What a step sends back to the states before it."""
        return self.program.adjoints("carry")

    def compute(
        self, name: str, arguments: Sequence[str], doc: Sequence[str], read: Sequence[str], body: Sequence[str]
    ) -> str:
        """A function that checks its arguments, then knows the sizes that its lines mention."""
        layout = self.layout
        # Only the sizes that are read: a name that is never used would be a fault in a generated module too.
        words = _names("\n".join([*read, *body]))
        sizes = [s for s in (layout.steps, layout.batch, *map(layout.size, self.cell.sizes)) if s in words]
        right = ", ".join(f'sizes["{size}"]' for size in sizes)
        line = [f"{', '.join(sizes)} = {right}"] if sizes else []
        for size in self.cell.untold_sizes if "state=None" in arguments else ():
            if layout.size(size) in sizes:
                line = [*self._require(name, size), *line]
        line += [f'{c} = dtype.type(CONSTANTS["{c}"])' for c in map(layout.own, self.cell.constants) if c in words]
        signature = broken(f"def {name}(", ["params", *arguments], "):")
        # Underflow to 0 is what saturated gates do; a caller who lets NumPy raise need not hear of it.
        head = "\n".join(['@np.errstate(under="ignore")', *signature])
        return function_source(head, doc, [*read, *line, *body])

    def check(self, dtype: str = "") -> str:
        """The line that compares every array given with its shape, and learns the sizes."""
        tied = tuple_source([f'"{self.layout.size(size)}"' for size in self.cell.tied_sizes])
        arguments = ["given", *([dtype] if dtype else []), *([f"tied={tied}"] if self.cell.tied_sizes else [])]
        return f"arrays, sizes, dtype = _check({', '.join(arguments)})"

    def _require(self, name: str, size: str) -> list[str]:
        """Lines that refuse a call none of whose arrays tells a size: states of zeros would need it."""
        shown = self.layout.size(size)
        message = f"{name}: no array given tells the size {shown}; pass state, a dict with {self.state_shapes()}"
        return [f'if "{shown}" not in sizes:', f'    raise ValueError("{message}")']

    # --- loops over time ---

    def initial_states(self, name: str) -> list[str]:
        """Zeros where no states were given."""
        layout = self.layout
        zeros = [layout.allocate("zeros", layout.dims(state), (layout.batch,)) for state in self.cell.states]
        return [f"if not {name}:", *indented(broken(f"{name} = [", zeros, "]"))]

    def start_loop(self) -> list[str]:
        """The arrays of the states over time, with their initial values."""
        layout, states = self.layout, self.program.states
        series = [
            f"{layout.series(s)} = {layout.allocate('empty', layout.dims(s), (f'{layout.steps} + 1', layout.batch))}"
            for s in states
        ]
        firsts = ", ".join(f"{layout.series(s)}[0]" for s in states)
        return [*series, f"{firsts}{',' if len(states) == 1 else ''} = start"]

    def buffers(self, function: Function, kept: Iterable[Variable]) -> list[str]:
        """The arrays over time of what outlives a step."""
        layout, wanted = self.layout, set(kept)
        lead = (layout.steps, layout.batch)
        written = [v for s in function.loop.body if isinstance(s, Assign) for v in s.writes if v in wanted]
        return [
            f"{layout.identifier(v)} = {layout.allocate('empty', layout.dims(v), lead)}"
            for v in written
            if v not in self.program.states
        ]

    def loop_body(self, function: Function, stored: Collection[Variable]) -> list[str]:
        """One round of a loop over time."""
        layout = self.layout
        read = [v for v in self.program.previous if v in function.loop.reads]
        lines = []
        if read:
            right = ", ".join(f"{layout.series(v)}[t]" for v in read)
            lines.append(f"{', '.join(layout.identifier(v) for v in read)} = {right}")
        return lines + print_statements(layout, function.loop.body, "loop", stored)

    def backward_body(self) -> list[str]:
        """The loop back, and what follows it."""
        cell, layout, function = self.cell, self.layout, self.program.backward
        results = set(self.program.adjoints("input"))
        read_after = {v for s in function.after for v in s.reads}
        kept = function.loop.writes & (read_after | results)
        stored = kept | {*self.program.tape, *self.program.arguments} | {s.target for s in function.after}
        body = [""]
        if function.before:
            body += ["# the same at all steps", *print_statements(layout, function.before, "all", stored), ""]
        body += self.buffers(function, kept)
        grads = "grads_dot" if self.program.second else "grads"
        # Where no gradient is summed in the loop, each is assigned once, behind it.
        if any(isinstance(statement, Accumulate) for statement in function.loop.body):
            body.append(f"{grads} = {{name: np.zeros_like(params[name], dtype) for name in PARAMETERS}}")
        else:
            body.append(f"{grads} = {{}}")
        carried = [layout.identifier(v) for v in self.carried()]
        body += [
            f"# at the top of a round, {carried[0]} is what step t + 1 sends back to {layout.own(cell.states[0])} at t",
            f"{', '.join(carried)}{',' if len(carried) == 1 else ''} = end",
            f"for t in reversed(range({layout.steps})):",
            *indented(self.loop_body(function, stored)),
        ]
        if function.after:
            body += ["", "# for all steps at once: what the loop does not need"]
            body += print_statements(layout, function.after, "all", stored)
        return body

    # --- shapes in docstrings ---

    def shape(self, name: str, lead: tuple[str, ...]) -> str:
        """A value's shape, as a docstring shows it."""
        return self.layout.shape(self.layout.dims(name), lead)

    def input_lines(self, lead: tuple[str, ...], suffix: str = "") -> list[str]:
        """A docstring's lines about the inputs, or about the number of steps where there are none."""
        if not self.cell.inputs and not suffix:
            return [f"    {self.layout.steps}: the number of steps, a whole number."]
        return [f"    {self.layout.own(x)}{suffix}: the input, {self.shape(x, lead)}." for x in self.cell.inputs]

    def params_line(self) -> str:
        """A docstring's line about the parameters."""
        return "    params: a dict with the keys and shapes of PARAMETERS."

    def over_sequence_lines(self) -> list[str]:
        """A docstring's lines about parameters and inputs of a function that runs over whole sequences."""
        return ["Args:", self.params_line(), *self.input_lines((self.layout.steps, self.layout.batch))]

    def cotangent_lines(self, cotangent: str) -> list[str]:
        """A docstring's lines about what comes into every step from outside."""
        shape = self.shape(self.cell.states[0], (self.layout.steps, self.layout.batch))
        return [
            f"    {cotangent}: the loss's derivative with respect to the output of every step,",
            f"        {shape}; None for zeros.",
        ]

    def read_inputs(self, over_time: bool = True) -> list[str]:
        """Lines that gather the parameters and the inputs, to be compared with their shapes."""
        layout = self.layout
        lead, suffix = (layout.series_lead, "") if over_time else (layout.step_lead, "_t")
        lines = ['given = _items("params", params, PARAMETERS)']
        for name in self.cell.inputs:
            argument = f"{layout.own(name)}{suffix}"
            lines.append(f'given["{argument}"] = ({argument}, {layout.shape_names(layout.dims(name), lead)})')
        return lines

    def sequence_arguments(self) -> list[str]:
        """What tells a function the sequence: the inputs, or the number of steps where there are none."""
        return [self.layout.own(name) for name in self.cell.inputs] or [self.layout.steps]

    def checked(self, over_time: bool = True) -> list[str]:
        """Lines that compare the arrays with their shapes; a cell without inputs is told how many steps it runs."""
        lines = [self.check()]
        if self.cell.inputs:
            return lines
        steps, batch = self.layout.steps, self.layout.batch
        if over_time:
            self.layout.helpers["_steps"] = _STEPS
            lines.append(f'sizes["{steps}"] = _steps("{steps}", {steps}, sizes)')
        return [*lines, f'sizes.setdefault("{batch}", 1)  # one example, where no array says how many']

    def initial_state_line(self) -> str:
        """A docstring's line about the initial states."""
        return f"    state: a dict with the initial states, {self.state_shapes()}; zeros if None."

    def state_shapes(self) -> str:
        """The states with their shapes, as a docstring shows them."""
        return ", ".join(f"{s} {self.shape(s, (self.layout.batch,))}" for s in self.cell.states)


def _names(code: str) -> set[str]:
    """The names that lines of a function read; not attributes such as .T, nor what stands in quotes."""
    tree = ast.parse("def function():\n" + "\n".join(indented(code.splitlines())))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def function_source(head: str, doc: Sequence[str], body: Sequence[str]) -> str:
    """A function: its first line, its docstring and its lines."""
    first, *rest = doc
    return "\n".join([head, *indented([f'"""{first}', *rest, '"""', *body])])
