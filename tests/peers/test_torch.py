"""The library's cells against PyTorch's own modules: outputs, final states and every gradient, in double precision."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn import cells, generate

pytestmark = pytest.mark.peer
torch = pytest.importorskip("torch", reason="PyTorch is not installed; it comes with the extra 'peers'")

T, N, D, H = 7, 3, 4, 6

#: our cell -> torch's class, and the order in which torch stacks our gates
LAYOUTS = {
    "rnn": ("RNN", [""]),
    "lstm": ("LSTM", ["_i", "_f", "_g", "_o"]),
    "gru_reset_after": ("GRU", ["_r", "_z", "_n"]),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_outputs_and_gradients_agree_with_torch(name: str) -> None:
    kind, gates = LAYOUTS[name]
    torch.manual_seed(5)
    theirs = getattr(torch.nn, kind)(D, H).double()
    x = torch.randn(T, N, D, dtype=torch.float64, requires_grad=True)
    start = [torch.randn(1, N, H, dtype=torch.float64, requires_grad=True) for _ in cells[name].states]
    out, final = theirs(x, tuple(start) if len(start) > 1 else start[0])
    ends = list(final) if isinstance(final, tuple) else [final]
    out_bar = torch.randn_like(out)
    end_bars = [torch.randn_like(end) for end in ends]
    torch.autograd.backward([out, *ends], [out_bar, *end_bars])

    def split(tensor: torch.Tensor) -> dict[str, np.ndarray]:
        return dict(zip(gates, np.split(tensor.detach().numpy(), len(gates)), strict=True))

    ours = generate(cells[name])
    w, u, b, c = (split(p) for p in theirs.parameters())
    params = {f"W{k}": w[k] for k in gates} | {f"U{k}": u[k] for k in gates} | {f"b{k}": b[k] + c[k] for k in gates}
    if name == "gru_reset_after":  # the candidate's two biases stay apart
        params |= {"b_n": b["_n"], "c_n": c["_n"]}
    states = cells[name].states
    state = {s: value.detach().numpy()[0] for s, value in zip(states, start, strict=True)}
    h, last, tape = ours.forward(params, x.detach().numpy(), state)
    np.testing.assert_allclose(h, out.detach().numpy(), rtol=0, atol=1e-13)
    cotangents = {s: value.numpy()[0] for s, value in zip(states, end_bars, strict=True)}
    grads, x_bar, state_bar = ours.backward(params, tape, out_bar.numpy(), cotangents)
    np.testing.assert_allclose(x_bar, x.grad.numpy(), rtol=0, atol=1e-12)
    for s, value, end in zip(states, start, ends, strict=True):
        np.testing.assert_allclose(last[s], end.detach().numpy()[0], rtol=0, atol=1e-13)
        np.testing.assert_allclose(state_bar[s], value.grad.numpy()[0], rtol=0, atol=1e-12)
    w_bar, u_bar, b_bar, c_bar = (split(p.grad) for p in theirs.parameters())
    expected = (
        {f"W{k}": w_bar[k] for k in gates} | {f"U{k}": u_bar[k] for k in gates} | {f"b{k}": b_bar[k] for k in gates}
    )
    if name == "gru_reset_after":
        expected["c_n"] = c_bar["_n"]
    assert grads.keys() == expected.keys()
    for key, value in grads.items():
        np.testing.assert_allclose(value, expected[key], rtol=0, atol=1e-12, err_msg=key)
