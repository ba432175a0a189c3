"""The LSTM variants of "LSTM: A Search Space Odyssey", all with peepholes but one.

f, i, o are the forget, input and output gate, g is the candidate (the paper's block input z); W maps the input, U (the
paper's R) the previous output, p are peepholes.
"""

from __future__ import annotations

from symrnn.cells.catalogue import odyssey_family as family
from symrnn.cells.long_short_term import lstm_peephole
from symrnn.language.recurrence import Cell
from symrnn.variants import (
    coupled,
    with_full_gate_recurrence,
    without_activation,
    without_gate,
    without_peepholes,
)


@family.variant
def lstm_odyssey_vanilla() -> Cell:
    """Vanilla LSTM of the search space odyssey.

    Source: Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber (2017), "LSTM: A Search Space Odyssey",
        arXiv:1503.04069, section II.
    Variant: forget gate and peepholes; o sees the new memory; tanh on the candidate and on the output.
    Not: what others call vanilla, an LSTM without peepholes: here that is NP.
    """
    return lstm_peephole.cell


@family.variant
def lstm_odyssey_nig() -> Cell:
    """Odyssey LSTM with no input gate (NIG).

    Source: Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber (2017), "LSTM: A Search Space Odyssey",
        arXiv:1503.04069, variant NIG.
    Variant: the vanilla cell of that paper, with one change: i is 1.
    Not: lstm_1997, which has the input gate and lacks the forget gate.
    """
    return without_gate(lstm_odyssey_vanilla.cell, "i")


@family.variant
def lstm_odyssey_nfg() -> Cell:
    """Odyssey LSTM with no forget gate (NFG).

    Source: Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber (2017), "LSTM: A Search Space Odyssey",
        arXiv:1503.04069, variant NFG.
    Variant: the vanilla cell of that paper, with one change: f is 1.
    Not: lstm_1997, which has no peepholes.
    """
    return without_gate(lstm_odyssey_vanilla.cell, "f")


@family.variant
def lstm_odyssey_nog() -> Cell:
    """Odyssey LSTM with no output gate (NOG).

    Source: Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber (2017), "LSTM: A Search Space Odyssey",
        arXiv:1503.04069, variant NOG.
    Variant: the vanilla cell of that paper, with one change: o is 1; the output is tanh of the memory.
    Not: a GRU: memory and output are not the same, and i and f are not coupled.
    """
    return without_gate(lstm_odyssey_vanilla.cell, "o")


@family.variant
def lstm_odyssey_niaf() -> Cell:
    """Odyssey LSTM with no input activation function (NIAF).

    Source: Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber (2017), "LSTM: A Search Space Odyssey",
        arXiv:1503.04069, variant NIAF.
    Variant: the vanilla cell of that paper, with one change: the candidate has no tanh.
    Not: a cell without input gate.
    """
    return without_activation(lstm_odyssey_vanilla.cell, "g")


@family.variant
def lstm_odyssey_noaf() -> Cell:
    """Odyssey LSTM with no output activation function (NOAF).

    Source: Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber (2017), "LSTM: A Search Space Odyssey",
        arXiv:1503.04069, variant NOAF.
    Variant: the vanilla cell of that paper, with one change: h = o * c.
    Not: lstm_output_linear, which has no peepholes.
    """
    return without_activation(lstm_odyssey_vanilla.cell, "h")


@family.variant
def lstm_odyssey_cifg() -> Cell:
    """Odyssey LSTM with coupled input and forget gate (CIFG).

    Source: Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber (2017), "LSTM: A Search Space Odyssey",
        arXiv:1503.04069, variant CIFG.
    Variant: the vanilla cell of that paper, with one change: f = 1 - i; i keeps its parameters.
    Not: lstm_cifg, which has no peepholes.
    """
    return coupled(lstm_odyssey_vanilla.cell, "f", "i")


@family.variant
def lstm_odyssey_np() -> Cell:
    """Odyssey LSTM with no peepholes (NP).

    Source: Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber (2017), "LSTM: A Search Space Odyssey",
        arXiv:1503.04069, variant NP.
    Variant: the vanilla cell of that paper, with one change: no peepholes.
    Not: another function than lstm: the two are the same.
    """
    return without_peepholes(lstm_odyssey_vanilla.cell)


@family.variant
def lstm_odyssey_fgr() -> Cell:
    """Odyssey LSTM with full gate recurrence (FGR).

    Source: Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber (2017), "LSTM: A Search Space Odyssey",
        arXiv:1503.04069, variant FGR.
    Variant: the vanilla cell of that paper, with one change: the gates see all gates of the step before, through
        nine matrices; so the gates are states.
    Not: the LSTM of 1997, which had this recurrence without a forget gate.
    """
    return with_full_gate_recurrence(lstm_odyssey_vanilla.cell, ("i", "f", "o"))
