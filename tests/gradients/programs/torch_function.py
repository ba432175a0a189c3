# ruff: noqa
# fmt: off
"""A tanh RNN as a torch.autograd.Function with a backward pass of its own."""
import torch


class ElmanFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, h0, w_ih, w_hh, b):
        hs = [h0]
        for x_t in x:
            hs.append(torch.tanh(x_t @ w_ih.t() + hs[-1] @ w_hh.t() + b))
        states = torch.stack(hs)
        ctx.save_for_backward(x, states, w_ih, w_hh)
        return states[1:]

    @staticmethod
    def backward(ctx, grad_output):
        x, states, w_ih, w_hh = ctx.saved_tensors
        grad_x = torch.zeros_like(x)
        grad_w_ih, grad_w_hh = torch.zeros_like(w_ih), torch.zeros_like(w_hh)
        grad_b = torch.zeros(w_hh.shape[0], dtype=x.dtype)
        grad_h = torch.zeros_like(states[0])
        for t in reversed(range(x.shape[0])):
            grad_a = (grad_output[t] + grad_h) * (1 - states[t + 1] ** 2)
            grad_w_ih += grad_a.t() @ x[t]
            grad_w_hh += grad_a.t() @ states[t]
            grad_b += grad_a.sum(0)
            grad_x[t] = grad_a @ w_ih
            grad_h = grad_a @ w_hh
        return grad_x, grad_h, grad_w_ih, grad_w_hh, grad_b


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import cotangents, against

HELD = False
ABOUT = "torch.autograd.Function with a backward pass written by hand"
CALL = "check_gradients(m.ElmanFunction, None, a)"


def example(rng):
    sizes = {"x": (5, 3, 4), "h0": (3, 6), "w_ih": (6, 4), "w_hh": (6, 6), "b": (6,)}
    return {k: 0.6 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    tensors = {k: m.torch.tensor(v, requires_grad=True) for k, v in a.items()}
    out = m.ElmanFunction.apply(*tensors.values())
    given = cotangents(out.detach().numpy())
    out.backward(m.torch.tensor(given))
    return against(out.detach().numpy(), given), {k: v.grad.numpy() for k, v in tensors.items()}


MISTAKES = [
    S("grad_h = grad_a @ w_hh", "grad_h = grad_a @ w_hh.t()", "transpose"),
    S("grad_a.t() @ states[t]", "grad_a.t() @ states[t + 1]", "wrong-time-index", also=("wrong-operand",)),
    S("(grad_output[t] + grad_h)", "grad_output[t]", "recurrent-path-cut"),
    S("(1 - states[t + 1] ** 2)", "(1 - states[t] ** 2)", "wrong-time-index", also=("wrong-operand",)),
    S("(1 - states[t + 1] ** 2)", "(1 - torch.tanh(states[t + 1]) ** 2)", "derivative-at-output"),
    S("grad_b += grad_a.sum(0)", "grad_b += grad_a.mean(0)", "mean-for-sum"),
    S("grad_w_ih += grad_a", "grad_w_ih = grad_a", "missing-accumulation"),
    S("grad_a = (grad_output[t] + grad_h) *", "grad_a = (grad_output[t] - grad_h) *", "sign"),
    S("return grad_x, grad_h,", "return grad_x, torch.zeros_like(grad_h),", "missing-path", also=("zero-gradient", "initial-state", "recurrent-path-cut")),
]
