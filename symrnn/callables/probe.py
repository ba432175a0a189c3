"""A black box seen by what looks for its cell: asked for its outputs at other weights and states than its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.budget import go_on
from symrnn.callables.black_box import BlackBox, ForwardRun
from symrnn.callables.comparison import measure_gap
from symrnn.callables.invocation import SubjectError, find_original
from symrnn.callables.outputs import drop_cache, flatten
from symrnn.callables.trees import leaves
from symrnn.errors import InputError

Answer = Arrays
"""Path of an output, such as `output[1]` or `output['h']`, -> its array."""

_ROUNDING = 1e-12
"""How far two calls with the same arguments may differ: sums in another order, as of several threads, do by less."""
_LONGEST = 200
"""Characters of somebody's error message that are quoted: a line or two, where some quote whole arrays."""


class Probe:
    """Asks a black box for its outputs around one set of arguments.

    Args:
        box: the black box.
        arrays: the arguments that are varied, by name, at the point around which it is asked.
        paths: name -> leaf path of the black box, where these differ.

    Attributes:
        arrays: the arguments that are varied, in double precision.
        answer: the outputs at these arguments.
        asked: how often the function was called.
        remarks: what is unusual about the function, as sentences.

    Raises:
        InputError: the function cannot be asked: it raises, gives no numbers, or does not give the same ones twice.
    """

    def __init__(self, box: BlackBox, arrays: Arrays, paths: Mapping[str, str] | None = None) -> None:
        self._box, self._paths = box, dict(paths or {})
        self.arrays = {name: np.array(value, np.float64) for name, value in arrays.items()}
        self.asked = 0
        self.remarks: list[str] = []
        self._single = False
        self.answer = self._first()
        if self._single:  # it comes in through the arguments, or is made inside
            self.remarks.append("forward computes in single precision")

    @property
    def tolerance(self) -> float:
        """The relative error up to which two answers are the same: some hundred rounding errors of the precision."""
        return 2e-5 if self._single else 1e-9

    def __call__(self, **changes: Array) -> Answer | None:
        """The outputs with some arrays replaced; None where the function raises there."""
        go_on()
        try:
            return self._ask(changes)
        except Exception:
            return None

    def _ask(self, changes: Arrays) -> Answer:
        self.asked += 1
        values = {**self.arrays, **changes}
        return self._read(self._box.run({self._paths.get(name, name): array for name, array in values.items()}))

    def _read(self, run: ForwardRun) -> Answer:
        if run.changed:
            self._remark(f"forward changes its arguments in place: {', '.join(run.changed)}")
        arguments = [leaf for name, tree in run.arguments.items() for leaf in leaves(name, tree).values()]
        kept = drop_cache(run.outputs, [leaf for leaf in arguments if isinstance(leaf, np.ndarray)])
        if kept is not run.outputs:
            self._remark("what forward returns last holds its own arguments: it is taken for a cache, not for outputs")
        raw = flatten(kept)
        self._single = any(array.dtype in (np.float32, np.float16) for array in raw.values())
        return {path: np.array(array, np.float64) for path, array in raw.items()}

    def _remark(self, sentence: str) -> None:
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def _first(self) -> Answer:
        try:
            answer, again = self._ask({}), self._ask({})
        except SubjectError as error:
            raise _refused(error) from find_original(error)
        if not answer:
            raise InputError("identify: forward returns no array of numbers\n  it should return states, such as h")
        if not any(np.isfinite(array).all() for array in answer.values()):
            raise InputError("identify: forward returns NaN or infinity\n  give inputs at which it is finite")
        gap, where = measure_gap(answer, again, floor=1.0)
        if gap > _ROUNDING:
            raise InputError(
                f"identify: forward is not deterministic: two calls with the same inputs differ by {gap:.2g} "
                f"in {where}\n  fix its seed, and let it keep nothing from call to call"
            )
        return answer


def _refused(error: SubjectError) -> InputError:
    """That the function raises at its own arguments, and what."""
    raised = find_original(error)
    what = " ".join(str(raised).split())[:_LONGEST]
    return InputError(
        f"identify: forward raises at the inputs given: {type(raised).__name__}: {what}\n"
        "  give inputs by the names of its arguments, at which it runs"
    )
