"""Program -> Program: each pass is one pure function that leaves the results as they are.

`PASSES` is the order in which they run; the program is checked after each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from heapq import heappop, heappush

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.naming import Names
from symrnn.program.ir import Accumulate, Assign, Function, Program, Statement


# Each entry takes an exponential or a comparison with all others, tens of times what an addition takes.
def run_passes(program: Program) -> Program:
    """All passes, in order."""
    for improve in PASSES:
        program = improve(program).check()
    return program


def single_step(program: Program) -> Program:
    """The passes that make sense for one step on its own, where nothing is kept for a backward pass."""
    return inline(share(replace(program, backward=program.backward.with_body(())))).check()


# --- share: compute a repeated expression once ------------------------------------------------------------------------


def share(program: Program) -> Program:
    """Name what is computed more than once: tanh(c_t) in both passes, U_nᵀ δa_n for two gradients."""
    names = _collect_names(program)
    forward, backward = list(program.forward.loop.body), list(program.backward.loop.body)
    while True:
        # Until nothing repeats: with the largest expressions named, smaller ones repeat in fewer places than before.
        chosen = {expr: names.add(_make_temporary(expr, names)) for expr in _find_repeated(forward, backward)}
        if not chosen:
            break
        # Of both passes together: what forward has named is on the tape, and backward reads it there.
        missing = dict(chosen)
        forward, backward = (_extract(body, chosen, missing) for body in (forward, backward))
    return replace(
        program, forward=program.forward.with_body(tuple(forward)), backward=program.backward.with_body(tuple(backward))
    )


def _extract(body: list[Statement], chosen: dict[Expr, Variable], missing: dict[Expr, Variable]) -> list[Statement]:
    """The body with variables in place of the chosen expressions; those still missing get their statement first."""
    result: list[Statement] = []
    for statement in body:
        found = {part for part in nodes.parts(statement.value) if part in missing} if missing else set()
        result += [Assign(missing.pop(expr), expr) for expr in chosen if expr in found]
        result.append(_substitute(statement, chosen))
    return result


def _substitute(statement: Statement, mapping: Mapping[Expr, Expr]) -> Statement:
    if statement.value in mapping and statement.target == mapping[statement.value]:
        return statement
    value = statement.value.xreplace(mapping)
    return statement if value is statement.value else replace(statement, value=value)


def _find_repeated(forward: list[Statement], backward: list[Statement]) -> list[Expr]:
    """The largest expressions worth naming: repeated in one pass, or costly and repeated at all."""
    counts = [Counter(e for s in body for e in _subexpressions(s.value)) for body in (forward, backward)]
    total = counts[0] + counts[1]

    def worthwhile(expr: Expr) -> bool:
        if total[expr] < 2:
            return False
        return _is_costly(expr) or (any(count[expr] > 1 for count in counts) and not _is_trivial(expr))

    def largest(expr: Expr) -> Iterator[Expr]:
        if worthwhile(expr):
            yield expr
        else:
            for arg in nodes.children(expr):
                yield from largest(arg)

    found = dict.fromkeys(e for s in (*forward, *backward) for e in largest(s.value))
    # an expression inside another one is left for the next round, when the outer one is a statement of its own
    inner = {part for expr in found for arg in nodes.children(expr) for part in nodes.parts(arg)}
    return [expr for expr in found if expr not in inner]


def _is_costly(expr: Expr) -> bool:
    """Whether it contains a matrix product or a function."""
    if expr.is_costly or (isinstance(expr, nodes.Product) and not _is_outer(expr)):
        # Without its number: -U δa and U δa share one product, and the sign stays with whoever reads it.
        return bool(nodes.coefficient(expr)[0] == 1)
    return any(_is_costly(arg) for arg in nodes.children(expr))


def _is_outer(expr: Expr) -> bool:
    """A column times a row: only ever summed into a gradient, and cheaper there."""
    _, rest = nodes.coefficient(expr)
    return not isinstance(rest, nodes.Product) or any(f.shape[1] == 1 for f in rest.args[:-1])


def _is_trivial(expr: Expr) -> bool:
    """One entry-by-entry operation on a variable and a number, or less: 1 − z, −n, f²."""
    if expr.is_rearranged:
        return True
    operands = [arg for arg in nodes.children(expr) if not isinstance(arg, nodes.Ones)]
    return len(operands) <= 1 and all(isinstance(nodes.coefficient(arg)[1], Variable) for arg in operands)


def _subexpressions(expr: Expr) -> Iterator[Expr]:
    if not isinstance(expr, Variable):
        yield expr
        for arg in nodes.children(expr):
            yield from _subexpressions(arg)


def _make_temporary(expr: Expr, names: Names) -> Variable:
    read = nodes.variables(expr)
    time = 0 if any(v.time is not None for v in read) else None
    # tanh_c says what it is; of a longer expression no name would, so it has a number.
    inner = expr.operands[0] if isinstance(expr, nodes.Act) else None
    name = f"{expr.name}_{inner.name}" if isinstance(expr, nodes.Act) and isinstance(inner, Variable) else ""
    if not name or not names.is_free(name):
        name = names.numbered("u")
    return Variable(name, expr.shape[0], expr.shape[1], name, time)


def _collect_names(program: Program) -> Names:
    """The registry of the program: nothing that any statement mentions may be taken again."""
    mentioned = {v for f in (program.forward, program.backward) for v in f.reads | f.writes}
    taken = dict(program.derivation.cell.symbols) | {v.name: v for v in mentioned}
    return Names(taken)


# --- inline: a pre-activation that only its function reads ------------------------------------------------------------


def inline(program: Program) -> Program:
    """Put a pre-activation back into its function where nothing else reads it; one that nothing reads goes."""
    readers = Counter(v for f in (program.forward, program.backward) for s in f for v in s.reads)
    kept = program.backward.reads  # a surrogate's argument is read there alone
    body: list[Statement] = []
    pending: dict[Expr, Expr] = {}
    for statement in program.forward.loop.body:
        target = statement.target
        if (
            program.derivation.is_preactivation(target)
            # A tangent has no name in the cell either; its mark tells it from a pre-activation.
            and not target.mark
            and readers[target] <= 1
            and target not in kept
        ):
            pending[target] = statement.value.xreplace(pending)
        else:
            body.append(_substitute(statement, pending))
    return replace(program, forward=program.forward.with_body(tuple(body)))


# --- hoist: out of the forward loop what depends on the inputs alone --------------------------------------------------


def hoist(program: Program) -> Program:
    """Compute what reads only inputs and parameters for all time steps at once, before the loop."""
    names = _collect_names(program)
    free, states = set(program.arguments), set(program.states)
    before: list[Statement] = list(program.forward.before)
    body: list[Statement] = []
    for statement in program.forward.loop.body:
        # The array of a state has its initial value in front, and the loop writes the rest.
        is_free = statement.reads <= free and statement.target not in states
        if is_free:
            before.append(statement)
            free.add(statement.target)
            continue
        hoisted: dict[Expr, Variable] = {}
        for expr in _find_free_parts(statement.value, free):
            variable = _name_part(statement.target, expr, names)
            before.append(Assign(variable, expr))
            free.add(variable)
            hoisted[expr] = variable
        body.append(replace(statement, value=_replace_parts(statement.value, hoisted)))
    function = replace(program.forward.with_body(tuple(body)), before=tuple(before))
    return replace(program, forward=function)


def _name_part(target: Variable, expr: Expr, names: Names) -> Variable:
    time = 0 if any(v.time is not None for v in nodes.variables(expr)) else None
    name = names.claim(f"{target.base}_x", *(f"{target.base}_x{number}" for number in range(2, 100)))
    return names.add(Variable(name, expr.shape[0], expr.shape[1], name, time))


def _find_free_parts(expr: Expr, free: set[Variable]) -> Iterator[Expr]:
    """The largest parts that read only `free` variables and are worth a loop of their own."""
    if isinstance(expr, Variable):
        return
    if nodes.variables(expr) <= free:
        if nodes.variables(expr) and _is_work(expr):
            yield expr
        return
    if isinstance(expr, nodes.Sum):
        inside = [term for term in expr.args if nodes.variables(term) <= free]
        # W x + b goes out as one array: a bias alone would not be worth it, and beside a product costs nothing.
        if any(_is_work(term) for term in inside):
            yield nodes.add(*inside)
        rest: Iterable[Expr] = [term for term in expr.args if term not in inside]
    else:
        rest = nodes.children(expr)
    for arg in rest:
        yield from _find_free_parts(arg, free)


def _is_work(expr: Expr) -> bool:
    return not _is_trivial(expr) and not isinstance(expr, nodes.Ones | nodes.Zeros | Variable)


def _replace_parts(expr: Expr, hoisted: dict[Expr, Variable]) -> Expr:
    if expr in hoisted:
        return hoisted[expr]
    if isinstance(expr, Variable) or not nodes.children(expr):
        return expr
    if isinstance(expr, nodes.Sum):
        for part, variable in hoisted.items():
            terms = part.args if isinstance(part, nodes.Sum) else (part,)
            # As often as they occur: a + a has two terms, of which a part may take one.
            if not Counter(terms) - Counter(expr.args):
                kept = list(expr.args)
                kept[kept.index(terms[0])] = variable
                for term in terms[1:]:
                    kept.remove(term)
                return nodes.add(*(_replace_parts(term, hoisted) for term in kept))
    replaced: Expr = expr.func(
        *(_replace_parts(a, hoisted) if getattr(a, "is_Matrix", False) else a for a in expr.args)
    )
    return replaced


# --- settle: out of the backward loop what no step changes ------------------------------------------------------------


def settle(program: Program) -> Program:
    """Compute what reads only parameters before the backward loop: once, and also where there are no steps."""
    # What moves with time, and sums over time, which every step changes.
    moving = {v for v in program.backward.reads | program.backward.writes if v.time is not None}
    moving |= set(program.adjoints("parameter"))  # sums over the steps
    before = list(program.backward.before)
    body: list[Statement] = []
    for statement in program.backward.loop.body:
        (body if moving & (statement.reads | statement.writes) else before).append(statement)
    return replace(program, backward=replace(program.backward.with_body(tuple(body)), before=tuple(before)))


# --- sink: out of the backward loop what the loop does not need -------------------------------------------------------


def sink(program: Program) -> Program:
    """Compute the gradients of parameters and inputs for all time steps at once, after the loop."""
    states = set(program.states)
    gradients = set(program.adjoints("parameter", "input"))
    named = set(program.adjoints("state", "intermediate", "input", "carry", "parameter"))
    readers = Counter(v for statement in program.backward.loop.body for v in statement.reads)
    body: list[Statement] = []
    after: list[Statement] = []
    # From the last to the first, so that what only a sunken statement read can sink after it.
    for statement in reversed(program.backward.loop.body):
        # A sum that reads itself is no reader that keeps it in the loop.
        needed = readers[statement.target] > (statement.target in statement.reads)
        # Adjoints of states and gates stay where the derivation has them, also where nothing in the loop reads them;
        # temporaries follow their readers.
        is_result = statement.target in gradients or statement.target not in named
        if is_result and not needed and statement.target not in states:
            readers.subtract(statement.reads)
            after.append(statement)
        else:
            body.append(statement)
    body.reverse()
    after.reverse()
    after.sort(key=lambda statement: isinstance(statement, Accumulate))  # values first, then the sums that read them
    function = replace(program.backward.with_body(tuple(body)), after=tuple(after) + program.backward.after)
    return replace(program, backward=_order(function))


def _order(function: Function) -> Function:
    """The statements after the loop in an order in which everything is written before it is read."""
    readers: dict[Variable, list[int]] = {}
    unwritten: list[int] = []
    writers = Counter(statement.target for statement in function.after)
    for position, statement in enumerate(function.after):
        unwritten.append(sum(writers[v] for v in statement.reads))
        for v in statement.reads & writers.keys():
            readers.setdefault(v, []).append(position)
    ready = [position for position, count in enumerate(unwritten) if not count]  # a heap: the first in order comes next
    done: list[Statement] = []
    while ready:
        statement = function.after[heappop(ready)]
        done.append(statement)
        for position in readers.get(statement.target, ()):
            unwritten[position] -= 1
            if not unwritten[position]:
                heappush(ready, position)
    assert len(done) == len(function.after), "statements after the loop read one another in a circle"
    return replace(function, after=tuple(done))


PASSES: tuple[Callable[[Program], Program], ...] = (share, inline, hoist, settle, sink)
"""The passes, in order."""
