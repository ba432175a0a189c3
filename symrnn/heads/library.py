"""The library of heads: each is a few lines in the language of cells, from the states to the loss of one step.

A head reads `h`, what the cell gives, and `k`, the target, if it has one; it has the readout's weights `V` and `b_y`,
if it has a readout, and its last line is the loss `l`, a scalar.  A head without a loss ends in what it reads out, a
vector.  Joined to a cell (`joining`), it is derived, printed
and run like the cell's own lines.  The softmax and its logarithm are one expression here, log Σ exp(y) − kᵀy, so that
the derivative with respect to the logits comes out in two terms, the probabilities and the target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symrnn.errors import UnknownNameError
from symrnn.suggestions import did_you_mean

ONE_OF, MANY_OF, ANY, NOTHING = "one of several", "any of several", "any numbers", "nothing"
"""What a target is: a 1 among zeros, ones and zeros, or numbers; or there is none."""

_READOUT = ("y = V @ h + b_y",)


@dataclass(frozen=True)
class Head:
    """A readout and a loss.

    Attributes:
        name: what it is called on the command line and in reports.
        lines: its equations, the loss `l` last.
        target: what its targets are.
        title: what it is, in words.
    """

    name: str
    lines: tuple[str, ...]
    target: str
    title: str

    @property
    def reads_out(self) -> bool:
        """Whether it has a readout with weights; otherwise the loss is of the states themselves."""
        return _READOUT[0] in self.lines

    @property
    def output(self) -> str:
        """The name of what it comes to: the loss `l`, or what is read out, `y` or `p`."""
        return self.lines[-1].partition(" ")[0]

    @property
    def has_loss(self) -> bool:
        """Whether it ends in a loss."""
        return self.output == "l"


def _squared(*lines: str) -> tuple[str, ...]:
    return (*lines, "l = sum(e**2) / 2")


def _rows() -> list[Head]:
    softmax = ("q = exp(y)", "s = sum(q)", "l = log(s) - sum(k * y)")
    sigmoid = ("l = sum(softplus(y) - k * y)",)
    own = tuple(line.replace("y", "h") for line in softmax)
    squashed: list[tuple[str, Callable[[str], str]]] = [
        (name, f"{name}({{}})".format) for name in ("sigmoid", "tanh", "relu", "softmax")
    ]
    return [
        Head("softmax-cross-entropy", (*_READOUT, *softmax), ONE_OF, "a linear readout, softmax and cross-entropy"),
        Head("sigmoid-cross-entropy", (*_READOUT, *sigmoid), MANY_OF, "a linear readout, sigmoid and cross-entropy"),
        Head("squared-error", (*_READOUT, *_squared("e = y - k")), ANY, "a linear readout and the squared error"),
        *(
            Head(
                f"{name}-squared-error",
                (*_READOUT, f"p = {applied('y')}", *_squared("e = p - k")),
                ANY,
                f"a linear readout, {name} and the squared error",
            )
            for name, applied in squashed
        ),
        Head("state-squared-error", _squared("e = h - k"), ANY, "the squared error of the states"),
        Head("state-softmax-cross-entropy", own, ONE_OF, "softmax and cross-entropy of the states"),
        Head("state-weighted-sum", ("l = sum(k * h)",), ANY, "a weighted sum of the states"),
        Head("squares", (*_READOUT, "l = sum(y**2) / 2"), NOTHING, "a linear readout and its squares"),
        Head("state-squares", ("l = sum(h**2) / 2",), NOTHING, "the squares of the states"),
        Head("state-sum", ("l = sum(h)",), NOTHING, "the sum of the states"),
        Head("readout", _READOUT, NOTHING, "a linear readout"),
        *(
            Head(f"{name}-readout", (*_READOUT, f"p = {name}(y)"), NOTHING, f"a linear readout and {name}")
            for name in ("sigmoid", "tanh", "relu", "softmax", "softplus", "exp")
        ),
    ]


HEADS = {head.name: head for head in _rows()}


def find_head(name: str) -> Head:
    """The head with this name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in HEADS:
        raise UnknownNameError(f"there is no head {name!r}\n  {did_you_mean(name, HEADS)}there are {', '.join(HEADS)}")
    return HEADS[name]
