"""Derivation -> the source of `rtrl`: gradients by the forward sensitivity recursion, in memory independent of T.

Every entry of every wanted parameter is one row p of an array `v_dot` (rows, N, ...): how v moves when that entry does.
What the states pass on is the tangent of the equation with the states moving.  What a parameter adds itself is computed
once per equation from unit vectors: of the parameter, or of the equation's result where these are fewer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Variable
from symrnn.algebra.rebuilding import valued
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.rules import pull_back, push_forward
from symrnn.calculus.tangent import TangentDerivation, tangent
from symrnn.language.recurrence import Equation
from symrnn.program.ir import Assign, Function, Loop, Program
from symrnn.targets.numpy.expressions import NumpyExpressions
from symrnn.targets.numpy.function import FunctionWriter
from symrnn.targets.numpy.layout import ModuleNames, tuple_source
from symrnn.targets.numpy.statements import assign, broken, commented, indented
from symrnn.targets.numpy.values import rank

_READ = """\
wanted = PARAMETERS if parameters is None else parameters
wanted = [name.strip() for name in wanted.split(",")] if isinstance(wanted, str) else list(wanted)
unknown = [name for name in wanted if name not in PARAMETERS]
if unknown or len(set(wanted)) < len(wanted):
    raise ValueError(f"parameters: expected different ones of {list(PARAMETERS)}, got {wanted}")
if sensitivity is not None:
    if not hasattr(sensitivity, "keys") or set(sensitivity) != set(wanted):
        raise ValueError(f"sensitivity: expected a dict with the keys {wanted}")
    for name in wanted:
        given |= _items(f"sensitivity[{name!r}]", sensitivity[name], STATES, (*PARAMETERS[name], LEAD))
"""

_ROWS = """\
rows, count = {}, 0
for name, array in zip(PARAMETERS, arrays):
    if name in wanted:
        rows[name] = slice(count, count + array.size)
        count += array.size
"""

HELPERS = {
    "_units": '''\
def _units(batch, array_shape, dtype):
    """Every unit vector of a shape, for every example: (entries, N, ...)."""
    count = int(np.prod(array_shape))
    return np.broadcast_to(np.eye(count, dtype=dtype).reshape(count, 1, *array_shape), (count, batch, *array_shape))
''',
    "_turned": '''\
def _turned(bars, array_shape):
    """From (entries of v, N, parameter ...) to (entries of the parameter, N, v ...)."""
    flat = bars.reshape(*bars.shape[:2], int(np.prod(bars.shape[2:]))).transpose(2, 1, 0)
    return flat.reshape(*flat.shape[:2], *array_shape)
''',
}


def _is_of_another_array(value: nodes.Expr) -> bool:
    """Whether NumPy would compute nothing into an array of its own, so that adding to it would change something else.

    Zeros are allocated where they stand alone.
    """
    rest = nodes.coefficient(value)[1]
    return bool(isinstance(rest, Variable | nodes.Ones) or rest.is_rearranged)


def numpy_rtrl(derivation: Derivation, layout: ModuleNames) -> str:
    """The source of `rtrl`.

    Args:
        derivation: of the cell.
        layout: the names of the module; the helper functions that the source needs are added to it.
    """
    forward = tuple(Assign(e.target, e.value) for e in derivation.forward)
    program = Program(derivation, Function((), Loop(forward, "forward"), ()), Function((), Loop((), "backward"), ()))
    moving = tangent(derivation)
    layout.helpers.update(HELPERS)
    return _Sensitivities(program, layout, moving).rtrl()


@dataclass
class _Sensitivities(FunctionWriter):
    moving: TangentDerivation
    _units: dict[str, str] = field(default_factory=dict)  # name -> the source of unit vectors

    def rtrl(self) -> str:
        cell, layout = self.cell, self.layout
        bar = layout.cotangent(cell.states[0])
        doc = [
            "Gradients of a loss by real-time recurrent learning: forward in time, nothing is kept of past steps.",
            "",
            "The sensitivity of a state is its derivative with respect to every entry of a parameter.  Memory is that",
            "of the sensitivities, whatever the number of steps; a sequence may come in pieces, each continuing the",
            "last with its `state` and `sensitivity`, and the gradients of the pieces add up.",
            "",
            *self.over_sequence_lines(),
            *self.cotangent_lines(bar),
            self.initial_state_line(),
            "    state_bar: a dict with the loss's derivatives with respect to the states after the last step; zeros if"
            " None.",
            "    parameters: the names of the parameters whose gradients are wanted, in a list or between",
            "        commas; all if None.",
            "    sensitivity: parameter -> state -> how the initial state depends on the parameter,",
            f"        (*parameter's shape, {layout.batch}, *state's shape); zeros if None.",
            "",
            "Returns:",
            "    grads: the gradients of the wanted parameters, summed over steps and examples.",
            "    state: the states after the last step, a dict like the argument.",
            "    sensitivity: that of the states after the last step, a dict like the argument.",
        ]
        inputs = self.sequence_arguments()
        optional = ["state=None", "state_bar=None", "parameters=None", "sensitivity=None"]
        return self.compute("rtrl", [*inputs, f"{bar}=None", *optional], doc, self._read(bar), self._body(bar))

    def _read(self, bar: str) -> list[str]:
        cell, layout = self.cell, self.layout
        lines = self.read_inputs()
        shape = layout.shape_names(layout.dims(cell.states[0]), layout.series_lead)
        lines += [f"if {bar} is not None:", f'    given["{bar}"] = ({bar}, {shape})']
        for group in ("state", "state_bar"):
            items = f'_items("{group}", {group}, STATES, {tuple_source(layout.step_lead)})'
            lines += [f"if {group} is not None:", f"    given |= {items}"]
        lines += _READ.replace("LEAD", layout.step_lead[0]).splitlines()
        return [*lines, *self.checked()]

    def _body(self, bar: str) -> list[str]:
        cell, layout = self.cell, self.layout
        names = [layout.own(name) for name in (*cell.parameters, *cell.inputs)]
        states = [layout.identifier(v) for v in cell.previous]
        moved = [layout.identifier(self.moving.directions[v.name]) for v in cell.previous]
        zeros = [layout.allocate("zeros", layout.dims(s), (layout.batch,)) for s in cell.states]
        output = cell.states[0]
        body = ["values = dict(zip(given, arrays))", *broken("[", names, f"] = arrays[:{len(names)}]")]
        series = layout.allocate("zeros", layout.dims(output), (layout.steps, layout.batch))
        body.append(f'{bar} = {series} if {bar} is None else values["{bar}"]')
        start = f'_or_zeros(values, "state", dict(zip(STATES, [{", ".join(zeros)}])))'
        body += [f"start = {start}", 'end = _or_zeros(values, "state_bar", dict(zip(STATES, start)))']
        body += ["", "# an entry of a wanted parameter is one row", *_ROWS.splitlines()]
        body += ["total = np.zeros(count, dtype)", *broken("[", states, "] = start")]
        rows = [layout.allocate("zeros", layout.dims(s), ("count", layout.batch)) for s in cell.states]
        for name, zero in zip(moved, rows, strict=True):
            body.append(f"{name} = {zero}")
        body += [
            "for name in rows if sensitivity is not None else ():",
            *indented(
                f"{name}[rows[name]] = values[f\"sensitivity[{{name!r}}]['{s}']\"].reshape({name}[rows[name]].shape)"
                for name, s in zip(moved, cell.states, strict=True)
            ),
        ]
        loop = self._round(bar)
        body += [*(f"{name} = {source}" for name, source in self._units.items())]
        body += ["", "# v_dot holds how v moves when the entry of a row does"]
        body += [f"for t in range({layout.steps}):", *indented(loop), ""]
        body += [
            f"for v_dot, array in zip([{', '.join(moved)}], end):",
            "    total += np.tensordot(v_dot, array, axes=array.ndim)",
        ]
        body += self._result(states, moved)
        return body

    def _result(self, states: Sequence[str], moved: Sequence[str]) -> list[str]:
        cell = self.cell
        shown = ", ".join(f'("{s}", {name})' for s, name in zip(cell.states, moved, strict=True))
        final = ", ".join(f'"{s}": {name}.copy()' for s, name in zip(cell.states, states, strict=True))
        return [
            "grads, sensitivity = {}, {}",
            "for name, part in rows.items():",
            "    shape = np.shape(params[name])",
            "    grads[name] = total[part].reshape(shape)",
            f"    moved = [{shown}]",
            "    sensitivity[name] = {s: v_dot[part].reshape(*shape, *v_dot.shape[1:]) for s, v_dot in moved}",
            f"return grads, {{{final}}}, sensitivity",
        ]

    # --- one step ---

    def _round(self, bar: str) -> list[str]:
        cell, layout = self.cell, self.layout
        lines: list[str] = []
        for equation, step in zip(self.program.derivation.forward, self.moving.steps, strict=True):
            statement = Assign(equation.target, equation.value)
            lines += commented(layout, statement, assign(layout, statement, "single", self._printer((layout.batch,))))
            if step.is_needed:
                lines += self._sensitivity(equation, step.target)
        output = cell.states[0]
        current = [layout.identifier(cell[s]) for s in cell.states]
        moved = {s: layout.identifier(self.moving.of(s).target) for s in cell.states}
        lines.append(f"total += np.tensordot({moved[output]}, {bar}[t], axes={1 + rank(cell[output].shape)})")
        before = [layout.identifier(v) for v in cell.previous]
        lines.append(f"{', '.join(before)} = {', '.join(current)}")
        before = [layout.identifier(self.moving.directions[v.name]) for v in cell.previous]
        lines.append(f"{', '.join(before)} = {', '.join(moved.values())}")
        return lines

    def _printer(self, lead: tuple[str, ...]) -> NumpyExpressions:
        layout, inputs = self.layout, self.cell.inputs

        def read(variable: Variable) -> str:
            name = layout.identifier(variable)
            return f"{name}[t]" if variable.name in inputs else name

        return NumpyExpressions(read, layout.size, lead, layout.helpers, still=(layout.batch,))

    def _sensitivity(self, equation: Equation, target: Variable) -> list[str]:
        """What the states pass on, then what each parameter of the equation adds in its own rows."""
        layout = self.layout
        printer = self._printer(("count", layout.batch))
        fixed = [self.cell[name] for name in (*self.cell.inputs, *self.cell.parameters)]
        carried = {v: dot for v, dot in self.moving.tangents.items() if v not in fixed}
        value = valued(push_forward(equation.value, equation.target, carried, self.moving.rules).value)
        own = [self.cell[name] for name in self.cell.parameters if self.cell[name] in nodes.variables(equation.value)]
        lines = assign(layout, Assign(target, value), "single", printer)
        if own and _is_of_another_array(value):  # it is added to below
            lines = [f"{printer(target)} = np.array({printer.full(value, batch=True)})"]
        for parameter in own:
            code = self._immediate(equation, parameter)
            if code:
                lines.append(f'if "{parameter.name}" in rows:')
                lines.append(f'    {printer(target)}[rows["{parameter.name}"]] += {code}')
        return lines

    def _immediate(self, equation: Equation, parameter: Variable) -> str:
        """How the equation's result depends on the parameter itself: (entries, N, result's shape)."""
        layout, rules = self.layout, self.program.derivation.rules
        target = equation.target
        # A unit vector per entry of whichever is smaller: of a matrix W there are as many as W has entries, of the
        # result only as many as it has rows.
        if rank(parameter.shape) <= rank(target.shape):
            unit = self._unit(parameter)
            found = valued(push_forward(equation.value, target, {parameter: unit}, rules).value)
            printer = self._printer((f"len({layout.identifier(unit)})", layout.batch))
            return "" if nodes.is_zero(found) else printer(found)
        unit = self._unit(target)
        shares = {share.variable: share.value for share in pull_back(equation.value, target, unit, rules)}
        found = valued(shares[parameter])
        if nodes.is_zero(found):
            return ""
        printer = self._printer((f"len({layout.identifier(unit)})", layout.batch))
        return f"_turned({printer.full(found, batch=True)}, {layout.shape(layout.dims(target))})"

    def _unit(self, variable: Variable) -> Variable:
        """The symbol for the unit vectors of a variable's shape, which are computed before the loop."""
        layout = self.layout
        dims = layout.shape(layout.dims(variable))
        name = "_".join(["unit", *re.findall(r"\w+", dims.replace("+", "plus").replace("*", "times"))])
        unit = Variable(f"unit {dims}", variable.shape[0], variable.shape[1], name, 0, "unit")
        self._units[layout.identifier(unit)] = f"_units({layout.batch}, {dims}, dtype)"
        return unit
