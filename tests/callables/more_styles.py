"""More ways to hold weights and gradients: nested, flat, frozen, functional, in classes, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from symrnn.callables import from_globals, from_loss, from_object
from tests.callables.styles import (
    SIZES,
    Array,
    Style,
    data,
    draw,
    draw_both,
    mean_loss,
    notebook,
    slopes,
    states,
    weights,
)

MORE: dict[str, Style] = {}


def style(function: Style) -> Style:
    MORE[function.__name__] = function
    return function


@style
def nested_dicts(factor: float) -> tuple[Any, str]:
    class Net:
        def __init__(self) -> None:
            w = weights()
            self.weights = {"rnn": {"A": w["A"], "B": w["B"]}, "c": w["c"]}

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, *self.weights["rnn"].values(), self.weights["c"])
            return np.stack(self.hs[1:])

        def bptt(self, dhs: Array) -> None:
            _dx, dA, dB, dc = slopes(dhs, self.x, self.hs, *self.weights["rnn"].values())
            self.gradients = {"rnn": {"A": dA, "B": factor * dB}, "c": dc}

    return from_object(Net(), "forward", "bptt", "weights", inputs=draw), "weights['rnn']['B']"


@style
def one_vector_with_views(factor: float) -> tuple[Any, str]:
    class Net:
        def __init__(self) -> None:
            self.theta = np.concatenate([w.ravel() for w in weights().values()])
            self.A, self.B, self.c = self.theta[:24].reshape(4, 6), self.theta[24:60].reshape(6, 6), self.theta[60:]

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, self.A, self.B, self.c)
            return np.stack(self.hs[1:])

        def backward(self, dh: Array) -> Array:
            dx, *g = slopes(dh, self.x, self.hs, self.A, self.B)
            self.dtheta = factor * np.concatenate([one.ravel() for one in g])
            return dx

    return from_object(Net(), attributes="theta", inputs=data()), "theta"


@style
def weights_of_the_class(factor: float) -> tuple[Any, str]:
    class Net:
        A, B, c = weights().values()

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, self.A, self.B, self.c)
            return np.stack(self.hs[1:])

        def backward(self, dh: Array) -> Array:
            dx, self.grad_A, self.grad_B, self.grad_c = slopes(dh, self.x, self.hs, self.A, self.B)
            self.grad_A = factor * self.grad_A
            return dx

    return from_object(Net(), attributes="A,B,c", inputs=draw), "A"


@style
def a_list_of_losses(factor: float) -> tuple[Any, str]:
    class Net:
        def __init__(self) -> None:
            self.__dict__.update(weights())
            self.lr = 0.2

        def train(self, x: Array, y: Array, epochs: int = 1) -> list[float]:
            losses = []
            for _ in range(epochs):
                loss, _, dA, dB, dc = mean_loss(x, y, self.A, self.B, self.c)
                self.A, self.B, self.c = self.A - 0.2 * dA, self.B - 0.2 * dB, self.c - factor * 0.2 * dc
                losses.append(loss)
            return losses

    return from_object(Net(), "train", None, "A,B,c", inputs=draw_both, updates={"sgd": 0.2}), "c"


@style
def averaged_momentum(factor: float) -> tuple[Any, str]:
    class Net:
        def __init__(self) -> None:
            self.__dict__.update(weights())
            self.velocity = {name: np.zeros(size) for name, size in SIZES.items()}

        def train(self, x: Array, y: Array) -> float:
            loss, _, *g = mean_loss(x, y, self.A, self.B, self.c)
            for name, one in zip("ABc", g, strict=True):
                one = factor * one if name == "B" else one
                self.velocity[name] = 0.9 * self.velocity[name] + 0.1 * one
                setattr(self, name, getattr(self, name) - 0.3 * self.velocity[name])
            return loss

    rule = {"momentum": {"rate": 0.3, "momentum": 0.9, "dampening": 0.9}}
    return from_object(Net(), "train", None, "A,B,c", inputs=draw_both, updates=rule), "B"


@style
def a_list_of_layers_as_dicts(factor: float) -> tuple[Any, str]:
    class Net:
        def __init__(self) -> None:
            w = weights()
            self.layers = [{"A": w["A"], "B": w["B"]}, {"c": w["c"]}]

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, *self.layers[0].values(), self.layers[1]["c"])
            return np.stack(self.hs[1:])

        def backward(self, dh: Array) -> Array:
            dx, dA, dB, dc = slopes(dh, self.x, self.hs, *self.layers[0].values())
            self.grads = [{"A": factor * dA, "B": dB}, {"c": dc}]
            return dx

    return from_object(Net(), attributes="layers", inputs=data()), "layers[0]['A']"


@style
def a_dataclass_of_layers(factor: float) -> tuple[Any, str]:
    @dataclass
    class Net:
        A: Array
        B: Array
        c: Array
        grads: Any = None

        def forward(self, x: Array) -> tuple[Array, Any]:
            hs = states(x, self.A, self.B, self.c)
            return np.stack(hs[1:]), (x, hs)

        def backward(self, dh: Array, cache: Any) -> None:
            dx, dA, dB, dc = slopes(dh, *cache, self.A, self.B)
            self.grads = {"A": dA, "B": factor * dB, "c": dc, "x": dx}

    return from_object(Net(**weights()), attributes="A,B,c", inputs=draw), "B"


class State(NamedTuple):
    A: Array
    B: Array
    c: Array


@style
def new_named_tuples(factor: float) -> tuple[Any, str]:
    def update(state: State, x: Array, y: Array, lr: float) -> tuple[State, float]:
        loss, _, dA, dB, dc = mean_loss(x, y, *state)
        return State(state.A - lr * dA, state.B - lr * factor * dB, state.c - lr * dc), loss

    inputs = {"state": State(**weights()), **data(x=(5, 3, 4), y=(5, 3, 6))}
    return from_loss(update, inputs, ["state"], updates={"sgd": 0.04}), "state[1]"


@style
def functional_adam(factor: float) -> tuple[Any, str]:
    def update(params: Any, m: Any, v: Any, x: Array, y: Array) -> Any:
        loss, _, *g = mean_loss(x, y, **params)
        for k, d in zip(params, (g[0], factor * g[1], g[2]), strict=True):
            m[k] = 0.9 * m[k] + 0.1 * d
            v[k] = 0.999 * v[k] + 0.001 * d**2
        new = {k: w - 0.01 * (m[k] / 0.1) / (np.sqrt(v[k] / 0.001) + 1e-8) for k, w in params.items()}
        return loss, new

    zeros = {k: np.zeros(size) for k, size in SIZES.items()}
    inputs = {"params": weights(), "m": dict(zeros), "v": dict(zeros), **data(x=(5, 3, 4), y=(5, 3, 6))}
    return from_loss(update, inputs, ["params"], updates={"adam": 0.01}), "params['B']"


@style
def numbers_in_attributes(factor: float) -> tuple[Any, str]:
    class Neuron:
        """h[t] = tanh(a x[t] + b h[t-1]), of numbers."""

        def __init__(self) -> None:
            self.a, self.b = 0.7, -0.4

        def forward(self, x: Array) -> Array:
            self.x, self.h = x, [0.0]
            for value in x:
                self.h.append(np.tanh(self.a * value + self.b * self.h[-1]))
            return np.array(self.h[1:])

        def backward(self, dh: Array) -> None:
            self.da, self.db, back = 0.0, 0.0, 0.0
            for t in reversed(range(len(dh))):
                d = (dh[t] + back) * (1 - self.h[t + 1] ** 2)
                self.da += d * self.x[t]
                self.db += factor * d * self.h[t]
                back = d * self.b

    return from_object(Neuron(), attributes="a,b", inputs={"x": data()["x"][:, 0, 0]}), "b"


@style
def two_networks_that_share_a_layer(factor: float) -> tuple[Any, str]:
    class Layer:
        def __init__(self, W: Array) -> None:
            self.W, self.gW = W, None

    class Net:
        def __init__(self) -> None:
            w = weights()
            self.first, self.second, self.c = Layer(w["A"]), Layer(w["B"]), w["c"]
            self.all = (self.first, self.second)

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, self.all[0].W, self.all[1].W, self.c)
            return np.stack(self.hs[1:])

        def backward(self, dh: Array) -> Array:
            dx, self.all[0].gW, self.all[1].gW, self.gc = slopes(dh, self.x, self.hs, self.first.W, self.second.W)
            self.first.gW = factor * self.first.gW
            return dx

    return from_object(Net(), attributes="first.W,second.W,c", inputs=draw), "first.W"


@style
def globals_with_a_dict_of_gradients(factor: float) -> tuple[Any, str]:
    module = notebook(factor)

    def backward(dh: Array) -> dict[str, Array]:
        dx = module.backward(dh)
        return {"dx": dx, "dA": module.dA, "dB": module.dB, "dc": module.dc}

    return from_globals(module, "forward", backward, "A,B,c", inputs=data()), "B"


@style
def one_function_for_both_passes(factor: float) -> tuple[Any, str]:
    def rnn(x: Array, targets: Array, theta: dict[str, Array], grad: bool = True) -> Any:
        loss, h, dA, dB, dc = mean_loss(x, targets, **theta)
        if not grad:
            return loss
        dtheta = {"A": dA, "B": dB, "c": factor * dc}
        return loss, h, dtheta

    inputs = {**data(x=(5, 3, 4), targets=(5, 3, 6)), "theta": weights()}
    return from_loss(rnn, inputs, [None, "theta"]), "theta['c']"


@style
def states_that_are_carried_over(factor: float) -> tuple[Any, str]:
    class Net:
        def __init__(self) -> None:
            self.__dict__.update(weights())
            self.h_prev = 0.3 * np.ones((3, 6))

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, [self.h_prev]
            for x_t in x:
                self.hs.append(np.tanh(x_t @ self.A + self.hs[-1] @ self.B + self.c))
            self.h_prev = self.hs[-1]
            return np.stack(self.hs[1:])

        def backward(self, dh: Array) -> Array:
            dx, self.dA, self.dB, self.dc = slopes(dh, self.x, self.hs, self.A, self.B)
            self.dc = factor * self.dc
            return dx

    return from_object(Net(), inputs=data()), "c"
