"""Programs of forward mode and of second order -> the source of `jvp` and `hvp`."""

from __future__ import annotations

from collections.abc import Sequence

from symrnn.algebra.nodes import Variable
from symrnn.program.ir import Program
from symrnn.targets.numpy.function import FunctionWriter
from symrnn.targets.numpy.layout import ModuleNames, tuple_source
from symrnn.targets.numpy.statements import broken, indented, print_statements


def numpy_jvp(program: Program, layout: ModuleNames) -> str:
    """The source of `jvp`, the derivative of the outputs and final states in a direction.

    Args:
        program: the program of forward mode.
        layout: the names of the module.
    """
    return _Directional(program, layout).jvp()


def numpy_hvp(program: Program, layout: ModuleNames) -> str:
    """The source of `hvp`, the derivative of what `backward` returns in a direction.

    Args:
        program: the program of second order.
        layout: the names of the module.
    """
    return _Directional(program, layout).hvp()


class _Directional(FunctionWriter):
    def jvp(self) -> str:
        cell, layout = self.cell, self.layout
        output, lead = cell.states[0], (layout.steps, layout.batch)
        dotted = layout.series(self._dot(cell[output]))
        doc = [
            "How outputs and final states move when the arguments do: a Jacobian-vector product, by forward mode.",
            "",
            *self.over_sequence_lines(),
            self.initial_state_line(),
            *self._direction_lines(),
            "",
            "Returns:",
            f"    {dotted}: how the output of every step moves, {self.shape(output, lead)}.",
            "    state_dot: how the states after the last step move, a dict like the argument.",
        ]
        body = [*self._values(), *self._forward_pass(set())]
        final = ", ".join(f'"{s}": {layout.series(self._dot(cell[s]))}[-1].copy()' for s in cell.states)
        body.append(f"return {dotted}[1:].copy(), {{{final}}}")
        inputs = self.sequence_arguments()
        arguments = [*inputs, "state=None", *self._direction_arguments()]
        return self.compute("jvp", arguments, doc, self._read(), body)

    def hvp(self) -> str:
        cell, layout = self.cell, self.layout
        output, lead = cell.states[0], (layout.steps, layout.batch)
        bar, moving_bar = layout.cotangent(output), layout.cotangent(output, "_dot")
        gradients = [layout.cotangent(name, "_dot") for name in cell.inputs]
        doc = [
            "How the gradients move when the arguments do: a Hessian-vector product, forward over reverse.",
            "",
            f"For the loss sum({bar} * {output}) + sum(state_bar * final states), linear in the outputs, this is the "
            "Hessian",
            f"times the direction.  For a loss L of your own give {bar} = ∂L/∂{output} and {moving_bar}, how that "
            f"moves: for",
            f"L = sum(({output} - y)**2) / 2 these are {output} - y and the {layout.series(self._dot(cell[output]))} "
            "that `jvp` returns.",
            "",
            *self.over_sequence_lines(),
            *self.cotangent_lines(bar),
            self.initial_state_line(),
            *self._direction_lines(),
            f"    {moving_bar}: how {bar} moves, in its shape; zeros if None.",
            "    state_bar: a dict with the loss's derivatives with respect to the states after the last step; zeros if"
            " None.",
            "    state_bar_dot: how these move; zeros for those left out.",
            "",
            "Returns:",
            "    grads_dot: how the gradients of the parameters move, a dict like `params`.",
            *(f"    {found}: how the gradient of {n} moves." for found, n in zip(gradients, cell.inputs, strict=True)),
            "    state_bar_dot: how the gradients of the initial states move, a dict like `state`.",
        ]
        zeros = layout.allocate("zeros", layout.dims(output), lead)
        body = [
            *self._values(),
            f'{bar} = {zeros} if {bar} is None else values["{bar}"]',
            f'{moving_bar} = {zeros} if {moving_bar} is None else values["{moving_bar}"]',
            f'end = _or_zeros(values, "state_bar", {self._zero_states()})',
            f'end += _or_zeros(values, "state_bar_dot", {self._zero_states()})',
            *self._forward_pass(set(self.program.tape)),
            *self.backward_body(),
        ]
        carried = [layout.identifier(v) for v in self.carried()[len(cell.states) :]]
        final = ", ".join(f'"{s}": {name}.copy()' for s, name in zip(cell.states, carried, strict=True))
        body.append(f"return {', '.join(['grads_dot', *gradients])}, {{{final}}}")
        inputs = self.sequence_arguments()
        optional = [f"{moving_bar}=None", "state_bar=None", "state_bar_dot=None"]
        arguments = [*inputs, f"{bar}=None", "state=None", *self._direction_arguments(), *optional]
        series = dict.fromkeys((bar, moving_bar), (output, layout.series_lead))
        return self.compute("hvp", arguments, doc, self._read(series, ("state_bar", "state_bar_dot")), body)

    # --- their parts ---

    def _dot(self, variable: Variable) -> Variable:
        assert self.program.tangent is not None
        return self.program.tangent.tangents[variable]

    def _direction_arguments(self) -> list[str]:
        dotted = [self.layout.identifier(self._dot(self.cell[name])) for name in self.cell.inputs]
        return ["params_dot=None", *(f"{name}=None" for name in dotted), "state_dot=None"]

    def _direction_lines(self) -> list[str]:
        dotted = {name: self.layout.identifier(self._dot(self.cell[name])) for name in self.cell.inputs}
        return [
            "    params_dot: how the parameters move, a dict like `params`; zeros for those left out.",
            *(
                f"    {found}: how {self.layout.own(name)} moves, in its shape; zeros if None."
                for name, found in dotted.items()
            ),
            "    state_dot: how the initial states move, a dict like `state`; zeros for those left out.",
        ]

    def _read(
        self, series: dict[str, tuple[str, tuple[str, ...]]] | None = None, of_states: Sequence[str] = ()
    ) -> list[str]:
        """Lines that check every argument; what was not given is left out."""
        cell, layout = self.cell, self.layout
        lines = self.read_inputs()
        optional = {layout.identifier(self._dot(cell[name])): (name, layout.series_lead) for name in cell.inputs}
        for found, (name, lead) in (optional | (series or {})).items():
            shape = layout.shape_names(layout.dims(name), lead)
            lines += [f"if {found} is not None:", f'    given["{found}"] = ({found}, {shape})']
        lines += [
            "if params_dot is not None:",
            '    given |= _items("params_dot", params_dot, PARAMETERS, partial=True)',
        ]
        for group in ("state", "state_dot", *of_states):
            partial = ", partial=True" if group.endswith("_dot") else ""
            items = f'_items("{group}", {group}, STATES, {tuple_source(layout.step_lead)}{partial})'
            lines += [f"if {group} is not None:", f"    given |= {items}"]
        return [*lines, *self.checked()]

    def _values(self) -> list[str]:
        """Lines that give every argument its name."""
        cell, layout = self.cell, self.layout
        names = [layout.own(name) for name in (*cell.parameters, *cell.inputs)]
        lines = ["values = dict(zip(given, arrays))", *broken("[", names, f"] = arrays[:{len(names)}]")]
        for name in cell.inputs:
            found = layout.identifier(self._dot(cell[name]))
            lines.append(f'{found} = np.zeros_like({layout.own(name)}) if {found} is None else values["{found}"]')
        if cell.parameters:
            dotted = [layout.identifier(self._dot(cell[name])) for name in cell.parameters]
            lines += broken("[", dotted, '] = _or_zeros(values, "params_dot", dict(zip(PARAMETERS, arrays)))')
        lines.append(f'start = _or_zeros(values, "state", {self._zero_states()})')
        lines.append('start += _or_zeros(values, "state_dot", dict(zip(STATES, start)))')
        return lines

    def _zero_states(self) -> str:
        layout = self.layout
        zeros = (layout.allocate("zeros", layout.dims(s), (layout.batch,)) for s in self.cell.states)
        return f"dict(zip(STATES, [{', '.join(zeros)}]))"

    def _forward_pass(self, kept: set[Variable]) -> list[str]:
        """The loop over time; `kept` outlives a step."""
        layout, function = self.layout, self.program.forward
        assert self.program.tangent is not None
        layout.comments |= {step.target: step.value for step in self.program.tangent.steps}
        in_loop = function.loop.writes & kept
        stored = {v for s in function.before for v in s.writes} | in_loop | set(self.program.arguments)
        body: list[str] = []
        if function.before:
            body += ["", "# for all steps at once: what depends on the inputs alone"]
            body += print_statements(layout, function.before, "all", stored)
        body.append("")
        body += [*self.buffers(function, in_loop), *self.start_loop()]
        return [*body, f"for t in range({layout.steps}):", *indented(self.loop_body(function, stored))]
