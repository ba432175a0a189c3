"""Many cells in parallel processes: the same reports, in the same order."""

import pytest

from symrnn import Cell, cells, verify
from symrnn.verification import many
from symrnn.verification.many import verify_many

NOWHERE = "def nowhere(x, h, *, W):\n    h = log(W @ x) + log(-(W @ x)) + h\n    return h\n"


def test_processes_give_the_reports_in_order():
    chosen = [cells.lstm, cells.rnn, Cell.from_source(NOWHERE), cells.gru]
    done = []
    reports = verify_many(chosen, jobs=2, progress=done.append)
    assert [report.cell for report in reports] == ["lstm", "rnn", "nowhere", "gru"]
    assert sorted(done) == sorted(report.cell for report in reports)
    assert [report.passed for report in reports] == [True, True, False, True]
    assert str(reports[0]) == str(verify(cells.lstm))


def test_one_job_stays_in_this_process(monkeypatch):
    monkeypatch.setattr(many, "_in_parallel", None)
    assert [report.cell for report in verify_many([cells.rnn, cells.indrnn], jobs=1)] == ["rnn", "indrnn"]


def test_a_cell_that_cannot_be_derived_is_reported(monkeypatch):
    from symrnn.errors import NameClashError

    def fail(cell):
        raise NameClashError("the names a, s are all taken")

    monkeypatch.setattr(many, "verify", fail)
    (report,) = verify_many([cells.rnn])
    assert not report.passed
    assert "the names a, s are all taken" in str(report)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_passes_through_and_leaves_no_processes(jobs):
    import multiprocessing

    def interrupt(name):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify_many([cells.rnn, cells.gru, cells.lstm], jobs=jobs, progress=interrupt)
    assert not multiprocessing.active_children()
