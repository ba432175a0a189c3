"""What the loss of the whole sequence is, where a head gives the loss of a step: the section that closes the model."""

from __future__ import annotations

from symrnn.algebra.nodes import ONE_BY_ONE
from symrnn.documents.setting import Setting, phrase
from symrnn.documents.structure import ZERO, Centred, Inline, Maths, Paragraph, Section
from symrnn.errors import InputError


def write_loss(setting: Setting) -> tuple[Section, ...]:
    """The loss as a function of the states, and what it gives to each of them; nothing where nothing was asked.

    Raises:
        InputError: the last state of the cell is no scalar, so it is no loss.
    """
    if not setting.loss_at:
        return ()
    derivation = setting.derivation
    *others, name = derivation.cell.states
    loss = derivation.cell[name]
    if loss.shape != ONE_BY_ONE:
        remedy = "put a head behind it that ends in a loss, such as squared-error"
        raise InputError(f"loss_at={setting.loss_at!r}: {derivation.cell.name} has no loss\n  {remedy}")
    letter, last = setting.notation.loss, setting.last
    every = setting.loss_at == "every"
    whole = setting.summed_over_steps(loss) if every else setting.at(last).maths(loss)
    partial, other = setting.maths(derivation.loss(name)), [setting.maths(derivation.loss(one)) for one in others]
    reads: Inline = (
        (*("so that ", Maths(f"{partial.latex} = 1", f"{partial.text} = 1")), " at every step. ")
        if every
        else (
            *("so that ", Maths(f"{partial.latex} = 1", f"{partial.text} = 1")),
            *phrase(f" at $t = {last}$, and 0 at the steps before. "),
        )
    )
    zeros = Maths.joined((*other, ZERO), " = ")
    beside: Inline = ("Every other state reaches it through this one alone: ", zeros, ".") if others else ()
    opening = "The loss of the sequence is the sum over its steps:" if every else "The loss is that of the last step:"
    formula = Centred(Maths.joined((Maths(letter, letter), whole), " = "))
    return (Section("loss", "Loss", (Paragraph((opening,)), formula, Paragraph((*reads, *beside)))),)
