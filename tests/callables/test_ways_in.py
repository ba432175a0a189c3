"""How states are called, how gradients come back, and what is left out: read without a word from the user."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.callables import from_globals, from_loss, from_object
from symrnn.callables.conventions import names_data, names_start
from symrnn.errors import InputError

Array = np.ndarray
STARTS = "h0 c0 h_prev prev_h hprev h_init initial_states start_h stm_init prev_hidden_state state0 h_tm1 initialState"
OTHERS = "C H W W0 W_init init_W prev_x x0 b0 cell h_next cache memory start_token last_W state_size V_prev y0 context"


@pytest.mark.parametrize("word", STARTS.split())
def test_a_name_of_an_initial_state(word: str) -> None:
    assert names_start(word)
    assert names_start(f"params['{word}']")


@pytest.mark.parametrize("word", OTHERS.split())
def test_a_name_of_something_else(word: str) -> None:
    assert not names_start(word)


def drawn(seed: int = 3, **shapes: tuple[int, ...]) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("start", ["initial_states", "hidden_start", "stm0"])
@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_a_loss_may_leave_out_the_gradient_of_its_initial_state(start: str, factor: float) -> None:
    def chunk(xs: Array, targets: Array, P: Array, Q: Array, **state: Array) -> Any:
        hs = [state[start]]
        for x in xs:
            hs.append(np.tanh(P @ x + Q @ hs[-1]))
        loss = sum(((h - v) ** 2).sum() for h, v in zip(hs[1:], targets, strict=True)) / 2
        dP, dQ, back = np.zeros_like(P), np.zeros_like(Q), 0
        for t in reversed(range(len(xs))):
            a = (hs[t + 1] - targets[t] + back) * (1 - hs[t + 1] ** 2)
            dP, dQ, back = dP + a @ xs[t].T, dQ + factor * a @ hs[t].T, Q.T @ a
        return loss, dP, dQ

    made = drawn(xs=(5, 4, 1), targets=(5, 6, 1), P=(6, 4), Q=(6, 6), **{start: (6, 1)})
    report = check_gradients(*from_loss(chunk, made, ["P", "Q"]), diagnose=False)
    assert report.passed is (factor == 1.0)


class Keeping:
    """A layer that keeps its gradients and returns them as well, in one of several ways."""

    def __init__(self, way: str, factor: float = 1.0) -> None:
        self.__dict__.update(drawn(A=(4, 6), B=(6, 6), c=(6,)))
        self.way, self.factor = way, factor

    def forward(self, x: Array) -> Array:
        self.x, self.hs = x, [np.zeros((x.shape[1], 6))]
        for x_t in x:
            self.hs.append(np.tanh(x_t @ self.A + self.hs[-1] @ self.B + self.c))
        return np.stack(self.hs[1:])

    def backward(self, dh: Array) -> Any:
        dA, dB, dc, back = np.zeros_like(self.A), np.zeros_like(self.B), np.zeros_like(self.c), 0
        dx = np.zeros_like(self.x)
        for t in reversed(range(len(dh))):
            a = (dh[t] + back) * (1 - self.hs[t + 1] ** 2)
            dA, dB, dc = dA + self.x[t].T @ a, dB + self.hs[t].T @ a, dc + self.factor * a.sum(0)
            dx[t], back = a @ self.A.T, a @ self.B.T
        if self.way == "attributes":
            self.dA, self.dB, self.dc = dA, dB, dc
            return self.dA, self.dB, self.dc
        if self.way == "data and weights":
            self.dA, self.dB, self.dc = dA, dB, dc
            return dx, self.dA, self.dB, self.dc
        self.grads = {"dA": dA, "dB": dB, "dc": dc} if self.way == "prefixed" else {"A": dA, "B": dB, "c": dc}
        return self.grads


@pytest.mark.parametrize("way", ["attributes", "data and weights", "prefixed", "plain"])
@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_gradients_may_be_kept_and_returned(way: str, factor: float) -> None:
    made = from_object(Keeping(way, factor), attributes=["A", "B", "c"], inputs=drawn(4, x=(5, 3, 4)))
    report = check_gradients(*made, diagnose=False)
    assert report.passed is (factor == 1.0), report
    assert [one.name for one in report.wrong] == ([] if factor == 1.0 else ["c"])
    assert {one.name for one in report.gradients} >= {"A", "B", "c"}
    assert not any(problem.kind == "phantom-gradient" for problem in report.problems)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_globals_may_be_kept_and_returned(factor: float) -> None:
    space = SimpleNamespace(**drawn(W=(4, 5)))

    def forward(x: Array) -> Array:
        space.h, space.x = np.tanh(x @ space.W), x
        return space.h

    def backward(dh: Array) -> Any:
        space.grads = {"dW": factor * space.x.T @ (dh * (1 - space.h**2))}
        return space.grads

    report = check_gradients(*from_globals(space, forward, backward, ["W"], inputs=drawn(x=(3, 4))), diagnose=False)
    assert report.passed is (factor == 1.0), report


def rnn(x: Array, h0: Array, A: Array, B: Array, k: Array) -> Any:
    hs = [h0]
    for x_t in x:
        hs.append(np.tanh(x_t @ A + hs[-1] @ B + k))
    return np.stack(hs[1:]), (x, B, hs)


def in_order(factor: float) -> Any:
    def backward(dh: Array, cache: Any) -> Any:
        x, B, hs = cache
        found, back = [0, 0, 0], 0
        for t in reversed(range(len(x))):
            a = (dh[t] + back) * (1 - hs[t + 1] ** 2)
            terms = (x[t].T @ a, hs[t].T @ a, factor * a.sum(axis=0))
            found, back = [old + term for old, term in zip(found, terms, strict=True)], a @ B.T
        return found

    return backward


@pytest.mark.parametrize("left", [["x", "h0"], ["h0", "x"]])
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_what_is_left_out_on_purpose_has_no_place_in_a_list(left: list[str], factor: float) -> None:
    made = drawn(x=(5, 3, 4), h0=(3, 6), A=(4, 6), B=(6, 6), k=(6,))
    report = check_gradients(rnn, in_order(factor), made, without=left, diagnose=False)
    assert report.passed is (factor == 1.0)
    assert [one.name for one in report.gradients] == ["A", "B", "k"]


def test_too_few_gradients_are_refused_all_the_same() -> None:
    made = drawn(x=(5, 3, 4), h0=(3, 6), A=(4, 6), B=(6, 6), k=(6,))
    report = check_gradients(rnn, in_order(1.0), made, without=["x"], diagnose=False)
    assert [problem.kind for problem in report.problems] == ["cannot-read"]


@pytest.mark.parametrize("factor", [1.0, 3.0])
@pytest.mark.parametrize("kept", ["list", "attributes", "items"])
def test_gradients_of_some_inputs_are_told_by_their_names(kept: str, factor: float) -> None:
    pull = in_order(factor)

    def as_list(dh: Array, cache: Any) -> Any:
        dA, dB, dk = pull(dh, cache)
        return [dA, dB, dk]

    def as_attributes(dh: Array, cache: Any) -> Any:
        held = SimpleNamespace()
        held.dA, held.dB, held.dk = pull(dh, cache)
        return held.dB, held.dA, held.dk

    def as_items(dh: Array, cache: Any) -> Any:
        grads = dict(zip(("dA", "dB", "dk"), pull(dh, cache), strict=True))
        return grads["dk"], grads["dA"], grads["dB"]

    backward = {"list": as_list, "attributes": as_attributes, "items": as_items}[kept]
    made = drawn(x=(5, 3, 4), h0=(3, 6), A=(4, 6), B=(6, 6), k=(6,))
    report = check_gradients(rnn, backward, made, without=["h0"], diagnose=False)
    assert report.passed is (factor == 1.0), report
    assert [one.name for one in report.wrong] == ([] if factor == 1.0 else ["k"])
    assert [one.name for one in report.gradients] == ["A", "B", "k"]


def test_a_mask_is_not_blamed_for_an_error() -> None:
    def forward(x: Array, mask: Array) -> Array:
        return (x * mask[..., None]) @ np.ones((7, 2))

    made = {**drawn(x=(5, 3, 4)), "mask": np.ones((5, 3), dtype=int)}
    (problem,) = check_gradients(forward, lambda dy: dy, made, diagnose=False).problems
    assert "forward raises ValueError" in problem.sentence
    assert "mask" not in problem.sentence


@pytest.mark.parametrize("kind", ["smooth", "mask", "one-hot", "lengths", "indices"])
def test_integers_are_remarked_where_a_gradient_is_missed(kind: str) -> None:
    rng = np.random.default_rng(0)
    given = {
        "smooth": rng.integers(2, 9, size=(3, 4)),
        "mask": np.array([[1, 0, 1, 1], [0, 1, 1, 1], [1, 1, 0, 1]]),
        "one-hot": np.eye(4, dtype=int)[[1, 3, 2]],
        "lengths": np.array([2, 3, 1]),
        "indices": np.array([2, 3, 1]),
    }[kind]

    def forward(n: Array, W: Array) -> Array:
        if kind == "lengths":
            return (np.arange(4) < n[:, None]) @ W
        return W[n] if kind == "indices" else np.tanh(n @ W)

    def backward(dy: Array, n: Array, W: Array) -> Any:
        if kind == "indices":
            dW = np.zeros_like(W)
            np.add.at(dW, n, dy)
            return {"W": dW}
        left = (np.arange(4) < n[:, None]).astype(float) if kind == "lengths" else n
        return {"W": left.T @ (dy if kind == "lengths" else dy * (1 - np.tanh(n @ W) ** 2))}

    report = check_gradients(forward, backward, {"n": given, **drawn(W=(4, 2))}, diagnose=False)
    assert report.passed
    assert [problem.kind for problem in report.problems] == ["integer-array"] * (kind == "smooth")


DATA = (
    "x X Y Xs ys y_true X_train Y_batch x_seq y_onehot Y_one_hot xt Yt onehot lengths seq_lens seqlengths mask targets"
)


@pytest.mark.parametrize("word", DATA.split())
def test_a_name_of_data(word: str) -> None:
    assert names_data(word)


@pytest.mark.parametrize(
    "word", "W Wx Xavier yW Y_weight x0 h0 U y_bias Why by xh X2h hidden length_scale input_gate.W".split()
)
def test_a_name_of_no_data(word: str) -> None:
    assert not names_data(word)


def test_targets_that_are_arguments_of_forward_want_no_gradient() -> None:
    def forward(X: Array, Y: Array, W: Array) -> Any:
        off = np.tanh(X @ W) - Y
        return (off**2).sum() / 2, (X, W, off)

    def backward(cache: Any) -> Any:
        X, W, off = cache
        return {"dW": X.T @ (off * (1 - np.tanh(X @ W) ** 2))}

    report = check_gradients(forward, backward, drawn(X=(7, 4), Y=(7, 2), W=(4, 2)), diagnose=False)
    assert report.passed
    assert [one.name for one in report.gradients] == ["W"]


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_gradient_of_python_s_numbers_is_one(factor: float) -> None:
    def backward(dh: Array, W: Array, x: Array) -> Any:
        return {"W": (factor * x.T @ dh).astype(object), "x": np.array([["a"] * 4] * 5, dtype=object)}

    report = check_gradients(lambda x, W: x @ W, backward, drawn(x=(5, 4), W=(4, 2)), diagnose=False)
    assert {one.name: str(one.verdict) for one in report.gradients} == {
        "x": "wrong",
        "W": "right" if factor == 1 else "wrong",
    }
    assert "object-gradient" in [problem.kind for problem in report.problems]


def test_arrays_that_no_memory_holds_are_refused() -> None:
    large = np.broadcast_to(1.0, (10**6, 10**7))
    for call in (
        lambda: check_gradients(lambda x, y: x, lambda d: d, {"x": large, "y": np.ones(2)}),
        lambda: from_loss(lambda x, y: 0.0, {"x": large, "y": np.ones(2)}, ["y"]),
    ):
        with pytest.raises(
            InputError, match=r"inputs: x has 1e\+13 entries, more than there is memory for\n  give smaller"
        ):
            call()
