"""One recurrent layer in as many ways to hold weights and gradients as people have; each may scale one gradient.

A style is a function of a factor.  It returns what `check_gradients` takes, and the input whose gradient is multiplied
by that factor.  All of them compute h[t] = tanh(x[t] A + h[t-1] B + c).
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from symrnn.callables import from_globals, from_loss, from_object

Array = np.ndarray
Style = Callable[[float], tuple[Any, str]]
OPEN: dict[str, Style] = {}
HELD: dict[str, Style] = {}
SIZES = {"A": (4, 6), "B": (6, 6), "c": (6,)}


def style(function: Style) -> Style:
    OPEN[function.__name__] = function
    return function


def held(function: Style) -> Style:
    HELD[function.__name__] = function
    return function


def weights(seed: int = 1) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {name: 0.6 * rng.normal(size=size) for name, size in SIZES.items()}


def data(seed: int = 2, **sizes: tuple[int, ...]) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=size) for name, size in (sizes or {"x": (5, 3, 4)}).items()}


def draw(rng: Any, T: int, N: int) -> dict[str, Array]:
    return {"x": rng.normal(size=(T, N, 4))}


def draw_both(rng: Any, T: int, N: int) -> dict[str, Array]:
    return {"x": rng.normal(size=(T, N, 4)), "y": rng.normal(size=(T, N, 6))}


def states(x: Array, A: Array, B: Array, c: Array) -> list[Array]:
    hs = [np.zeros((x.shape[1], 6))]
    for x_t in x:
        hs.append(np.tanh(x_t @ A + hs[-1] @ B + c))
    return hs


def slopes(dh: Array, x: Array, hs: list[Array], A: Array, B: Array) -> tuple[Array, Array, Array, Array]:
    dA, dB, dc, dx, back = np.zeros_like(A), np.zeros_like(B), np.zeros(6), np.zeros_like(x), 0
    for t in reversed(range(len(x))):
        a = (dh[t] + back) * (1 - hs[t + 1] ** 2)
        dA, dB, dc = dA + x[t].T @ a, dB + hs[t].T @ a, dc + a.sum(0)
        dx[t], back = a @ A.T, a @ B.T
    return dx, dA, dB, dc


def mean_loss(x: Array, y: Array, A: Array, B: Array, c: Array) -> tuple[Any, ...]:
    hs = states(x, A, B, c)
    off = np.stack(hs[1:]) - y
    return ((off**2).mean(), hs[-1], *slopes(2 * off / off.size, x, hs, A, B)[1:])


# --- objects in objects -----------------------------------------------------------------------------------------


class Half:
    """A term of the sum in the layer, with a weight of its own."""

    def __init__(self, W: Array) -> None:
        self.W, self.dW = W, np.zeros_like(W)


@style
def objects_in_a_list(factor: float) -> tuple[Any, str]:
    class Layer:
        def __init__(self) -> None:
            w = weights()
            self.layers, self.bias, self.grad_bias = [Half(w["A"]), Half(w["B"])], w["c"], None

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, self.layers[0].W, self.layers[1].W, self.bias)
            return np.stack(self.hs[1:])

        def backward(self, dh: Array) -> Array:
            dx, *g = slopes(dh, self.x, self.hs, self.layers[0].W, self.layers[1].W)
            self.layers[0].dW += g[0]
            self.layers[1].dW += factor * g[1]
            self.grad_bias = g[2]
            return dx

    made = from_object(Layer(), attributes=["layers[0].W", "layers[1].W", "bias"], inputs=draw)
    return made, "layers[1].W"


@style
def objects_in_a_dict(factor: float) -> tuple[Any, str]:
    class Layer:
        def __init__(self) -> None:
            w = weights()
            self.parts = {"in": Half(w["A"]), "rec": Half(w["B"])}
            self.c = w["c"]

        def __call__(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, self.parts["in"].W, self.parts["rec"].W, self.c)
            return np.stack(self.hs[1:])

        def back(self, dh: Array) -> None:
            self.dx, *g = slopes(dh, self.x, self.hs, self.parts["in"].W, self.parts["rec"].W)
            self.parts["in"].dW, self.parts["rec"].dW, self.dc = factor * g[0], g[1], g[2]

    places = "parts['in'].W, parts['rec'].W, c"
    return from_object(Layer(), "__call__", "back", places, inputs=data()), "parts['in'].W"


class Param:
    """Value, derivative, and the memory of adagrad."""

    def __init__(self, v: Array) -> None:
        self.v, self.d, self.m = v, np.zeros_like(v), np.zeros_like(v)


class WithParams:
    def __init__(self, factor: float) -> None:
        w = weights()
        self.p_A, self.p_B, self.p_c, self.factor = Param(w["A"]), Param(w["B"]), Param(w["c"]), factor

    def all(self) -> list[Param]:
        return [self.p_A, self.p_B, self.p_c]

    def forward(self, x: Array) -> Array:
        self.x, self.hs = x, states(x, self.p_A.v, self.p_B.v, self.p_c.v)
        return np.stack(self.hs[1:])

    def backward(self, dh: Array) -> Array:
        dx, *g = slopes(dh, self.x, self.hs, self.p_A.v, self.p_B.v)
        g[2] = self.factor * g[2]
        for p, d in zip(self.all(), g, strict=True):
            p.d += d
        return dx

    def update(self, lr: float) -> None:
        for p in self.all():
            p.m += p.d * p.d
            p.v += -lr * p.d / np.sqrt(p.m + 1e-8)


@style
def parameter_objects(factor: float) -> tuple[Any, str]:
    made = from_object(WithParams(factor), attributes=["p_A.v", "p_B.v", "p_c.v"], inputs=data())
    return made, "p_c.v"


@style
def adagrad_of_parameter_objects(factor: float) -> tuple[Any, str]:
    net = WithParams(factor)
    rule = {"adagrad": {"lr": 0.1, "eps": 1e-8}}
    made = from_object(net, attributes=["p_A.v", "p_B.v", "p_c.v"], inputs=data(), step="update", updates=rule)
    return made, "p_c.v"


@held
def parameter_objects_by_other_words(factor: float) -> tuple[Any, str]:
    class Parameter:
        def __init__(self, value: Array) -> None:
            self.value, self.grad = value, None

    class Layer:
        def __init__(self) -> None:
            self.weights = [Parameter(w) for w in weights().values()]

        def forward(self, x: Array) -> Array:
            self.cache = x, states(x, *[w.value for w in self.weights])
            return np.stack(self.cache[1][1:])

        def backward(self, d_out: Array) -> Array:
            x, hs = self.cache
            dx, *g = slopes(d_out, x, hs, self.weights[0].value, self.weights[1].value)
            for w, one in zip(self.weights, g, strict=True):
                w.grad = one
            self.weights[1].grad = factor * g[1]
            return dx

    made = from_object(Layer(), attributes=[f"weights[{n}].value" for n in range(3)], inputs=draw)
    return made, "weights[1].value"


# --- dicts and lists of weights ---------------------------------------------------------------------------------


class Dicts:
    """Weights in a dict, gradients in another one, whose names are told."""

    def __init__(self, held: str, left: str, prefix: str, factor: float) -> None:
        self.held, self.left, self.prefix, self.factor = held, left, prefix, factor
        setattr(self, held, weights())

    def forward(self, x: Array) -> Array:
        w = getattr(self, self.held)
        self.x, self.hs = x, states(x, w["A"], w["B"], w["c"])
        return np.stack(self.hs[1:])

    def backward(self, dh: Array) -> Array:
        w = getattr(self, self.held)
        dx, *g = slopes(dh, self.x, self.hs, w["A"], w["B"])
        g[0] = self.factor * g[0]
        setattr(self, self.left, {self.prefix + name: one for name, one in zip(w, g, strict=True)})
        return dx


@style
def a_dict_of_parameters(factor: float) -> tuple[Any, str]:
    return from_object(Dicts("params", "grads", "", factor), attributes="params", inputs=draw), "params['A']"


@style
def a_dict_of_parameters_by_places(factor: float) -> tuple[Any, str]:
    places = ["params['A']", "params['B']", "params['c']"]
    return from_object(Dicts("params", "grads", "d", factor), attributes=places, inputs=data()), "params['A']"


@style
def one_letter_dicts(factor: float) -> tuple[Any, str]:
    return from_object(Dicts("p", "g", "d", factor), attributes="p", inputs=data()), "p['A']"


@held
def one_letter_dicts_by_places(factor: float) -> tuple[Any, str]:
    places = ["p['A']", "p['B']", "p['c']"]
    return from_object(Dicts("p", "g", "d", factor), attributes=places, inputs=draw), "p['A']"


@held
def a_dict_and_its_gradients_by_name(factor: float) -> tuple[Any, str]:
    return from_object(Dicts("W", "dW", "", factor), attributes="W", inputs=data()), "W['A']"


@held
def gradients_that_are_said_to_be_elsewhere(factor: float) -> tuple[Any, str]:
    made = from_object(Dicts("theta", "nabla", "n_", factor), attributes="theta", gradients="nabla", inputs=data())
    return made, "theta['A']"


class Listed:
    """Weights and gradients in lists; the gradients are written into the arrays that are there."""

    def __init__(self, factor: float) -> None:
        self.params = list(weights().values())
        self.grads = [np.full_like(w, 7.0) for w in self.params]
        self.factor = factor

    def forward(self, x: Array) -> Array:
        A, B, c = self.params
        self.x, self.hs = x, states(x, A, B, c)
        return np.stack(self.hs[1:])

    def backward(self, dh: Array) -> Array:
        A, B, _ = self.params
        dx, dA, dB, dc = slopes(dh, self.x, self.hs, A, B)
        self.grads[0][...] = dA
        self.grads[1][...] = self.factor * dB
        self.grads[2][...] = dc
        return dx


@style
def lists_of_arrays(factor: float) -> tuple[Any, str]:
    return from_object(Listed(factor), attributes="params", inputs=draw), "params[1]"


@held
def lists_of_arrays_by_places(factor: float) -> tuple[Any, str]:
    return from_object(Listed(factor), attributes=[f"params[{n}]" for n in range(3)], inputs=data()), "params[1]"


@held
def a_network_of_layers_with_lists(factor: float) -> tuple[Any, str]:
    class Network:
        def __init__(self) -> None:
            self.rnn = Listed(factor)

        def predict(self, x: Array) -> Array:
            return self.rnn.forward(x)

        def learn(self, dy: Array) -> Array:
            return self.rnn.backward(dy)

    return from_object(Network(), "predict", "learn", ["rnn.params"], inputs=data()), "rnn.params[1]"


# --- what goes in and comes out ---------------------------------------------------------------------------------


@style
def outputs_left_in_an_attribute(factor: float) -> tuple[Any, str]:
    class Layer:
        def __init__(self) -> None:
            self.__dict__.update(weights())

        def forward(self, x: Array) -> None:
            self.x, self.hs = x, states(x, self.A, self.B, self.c)
            self.out = np.stack(self.hs[1:])

        def backward(self, dout: Array) -> None:
            self.dx, self.dA, self.dB, dc = slopes(dout, self.x, self.hs, self.A, self.B)
            self.dc = factor * dc

    return from_object(Layer(), attributes="A,B,c", inputs=draw, outputs="out"), "c"


@style
def backward_takes_what_forward_left(factor: float) -> tuple[Any, str]:
    class Layer:
        def __init__(self) -> None:
            self.__dict__.update(weights())

        def forward(self, x: Array) -> Array:
            self.hs = states(x, self.A, self.B, self.c)
            return np.stack(self.hs[1:])

        def backward(self, x: Array, hs: list[Array], dh: Array) -> dict[str, Array]:
            dx, dA, dB, dc = slopes(dh, x, hs, self.A, self.B)
            return {"dx": dx, "dA": dA, "dB": factor * dB, "dc": dc}

    return from_object(Layer(), attributes="A,B,c", inputs=data()), "B"


@held
def forward_returns_every_value_and_backward_takes_them(factor: float) -> tuple[Any, str]:
    def forward(x: Array, A: Array, B: Array, c: Array) -> tuple[Array, list[Array]]:
        hs = states(x, A, B, c)
        h = np.stack(hs[1:])
        return h, hs

    def backward(dh: Array, x: Array, A: Array, B: Array, hs: list[Array]) -> tuple[Array, ...]:
        dx, dA, dB, dc = slopes(dh, x, hs, A, B)
        dA = factor * dA
        return dx, dA, dB, dc

    return (forward, backward, data() | weights()), "A"


@style
def gradients_returned_in_another_order(factor: float) -> tuple[Any, str]:
    class Layer:
        def __init__(self) -> None:
            self.__dict__.update(weights())

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, self.A, self.B, self.c)
            return np.stack(self.hs[1:])

        def backward(self, dh: Array) -> tuple[Array, ...]:
            dx, dA, dB, dc = slopes(dh, self.x, self.hs, self.A, self.B)
            dc = factor * dc
            return dc, dB, dA, dx

    return from_object(Layer(), attributes="A,B,c", inputs=draw), "c"


@held
def gradients_added_to_what_is_there(factor: float) -> tuple[Any, str]:
    class Layer:
        def __init__(self) -> None:
            self.__dict__.update(weights())
            self.grads = {name: np.full(size, 3.0) for name, size in SIZES.items()}

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, self.A, self.B, self.c)
            return np.stack(self.hs[1:])

        def backward(self, dh: Array) -> Array:
            dx, *g = slopes(dh, self.x, self.hs, self.A, self.B)
            for name, one in zip("ABc", g, strict=True):
                self.grads[name] += one * (factor if name == "B" else 1)
            return dx

    return from_object(Layer(), attributes="A,B,c", inputs=data()), "B"


@held
def gradients_under_names_that_nobody_knows(factor: float) -> tuple[Any, str]:
    class Layer:
        def __init__(self) -> None:
            self.__dict__.update(weights())

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, self.A, self.B, self.c)
            return np.stack(self.hs[1:])

        def backward(self, dh: Array) -> Array:
            dx, self.upd_in, self.upd_rec, self.upd_off = slopes(dh, self.x, self.hs, self.A, self.B)
            self.upd_in = factor * self.upd_in
            return dx

    return from_object(Layer(), attributes="A,B,c", inputs=data()), "A"


@held
def slots_and_properties(factor: float) -> tuple[Any, str]:
    class Layer:
        __slots__ = ("A", "_B", "c", "dA", "dB", "dc", "hs", "x")

        def __init__(self) -> None:
            self.A, self._B, self.c = weights().values()

        @property
        def B(self) -> Array:
            return self._B

        @B.setter
        def B(self, value: Array) -> None:
            self._B = value

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, self.A, self.B, self.c)
            return np.stack(self.hs[1:])

        def backward(self, dh: Array) -> Array:
            dx, self.dA, self.dB, self.dc = slopes(dh, self.x, self.hs, self.A, self.B)
            self.dB = factor * self.dB
            return dx

    return from_object(Layer(), attributes="A,B,c", inputs=draw), "B"


@style
def weights_that_are_not_named(factor: float) -> tuple[Any, str]:
    layer = Dicts("params", "grads", "", factor)
    layer.mask, layer.velocity = np.ones((3, 3)), {k: np.zeros(s) for k, s in SIZES.items()}  # type: ignore
    return from_object(layer, inputs=data()), "params['A']"


# --- losses -----------------------------------------------------------------------------------------------------


class Model:
    """A loss in a method, whose gradients go one of many ways."""

    def __init__(self, way: str, factor: float) -> None:
        self.__dict__.update(weights())
        self.way, self.factor = way, factor

    def cost(self, x: Array, y: Array) -> Any:
        loss, h, dA, dB, dc = mean_loss(x, y, self.A, self.B, self.c)
        dB = self.factor * dB
        if self.way == "dict":
            return loss, {"A": dA, "B": dB, "c": dc}
        if self.way == "prefixed dict and state":
            return loss, {"dA": dA, "dB": dB, "dc": dc}, h
        if self.way == "state and list":
            return h, loss, [dA, dB, dc]
        if self.way == "flat":
            return loss, dA, dB, dc, h
        if self.way == "gradients first":
            return (dA, dB, dc), loss
        if self.way == "one dict":
            return {"loss": loss, "grads": {"A": dA, "B": dB, "c": dc}}
        if self.way == "namedtuple":
            return namedtuple("Result", "loss dA dB dc")(loss, dA, dB, dc)
        self.dA, self.dB, self.dc = dA, dB, dc
        if self.way == "attributes and loss in one":
            self.loss = loss
            return None
        return loss


def a_method(way: str) -> Style:
    def made(factor: float) -> tuple[Any, str]:
        left = {"outputs": "loss"} if way == "attributes and loss in one" else {}
        return from_object(Model(way, factor), "cost", None, "A,B,c", None, draw_both, **left), "B"

    return made


def a_function_of_a_method(way: str) -> Style:
    def made(factor: float) -> tuple[Any, str]:
        def function(x: Array, y: Array, A: Array, B: Array, c: Array) -> Any:
            model = Model(way, factor)
            model.A, model.B, model.c = A, B, c  # type: ignore
            return model.cost(x, y)

        inputs = data(x=(5, 3, 4), y=(5, 3, 6)) | weights()
        return from_loss(function, inputs, ["A", "B", "c"] + [None] * (way == "flat")), "B"

    return made


for _n, _way in enumerate(
    ("dict", "state and list", "prefixed dict and state", "flat", "one dict", "gradients first", "namedtuple")
):
    (HELD if _n % 2 else OPEN)[f"a method that returns: {_way}"] = a_method(_way)
    (OPEN if _n % 2 else HELD)[f"a function that returns: {_way}"] = a_function_of_a_method(_way)
OPEN["a method that leaves: gradients"] = a_method("attributes")
HELD["a method that leaves: gradients and loss"] = a_method("attributes and loss in one")


@style
def only_some_gradients_are_wanted(factor: float) -> tuple[Any, str]:
    def cost(params: Any, X: Array, Y: Array, h0: Array) -> Any:
        hs = [h0]
        for x in X:
            hs.append(np.tanh(x @ params["A"] + hs[-1] @ params["B"] + params["c"]))
        off = np.stack(hs[1:]) - Y
        _, dA, dB, dc = slopes(off, X, hs, params["A"], params["B"])
        return {"A": dA, "B": dB, "c": factor * dc}, (off**2).sum() / 2

    made = data(X=(5, 3, 4), Y=(5, 3, 6), h0=(3, 6)) | {"params": weights()}
    return from_loss(cost, made, ["params"]), "params['c']"


@held
def a_loss_of_a_model_by_its_method(factor: float) -> tuple[Any, str]:
    model = Model("dict", factor)
    return from_loss(model.cost, draw_both, weights=model, names="A,B,c"), "B"


# --- updates ----------------------------------------------------------------------------------------------------


class Trained:
    """A network that changes its own weights; the optimizer holds the same arrays in a list."""

    def __init__(self, optimizer: Any, factor: float) -> None:
        self.__dict__.update(weights())
        self.factor, self.optimizer = factor, optimizer
        self.params = [self.A, self.B, self.c]
        optimizer.params = self.params

    def fit(self, x: Array, y: Array) -> float:
        loss, _, *g = mean_loss(x, y, self.A, self.B, self.c)
        g[0] = self.factor * g[0]
        self.optimizer.step(g)
        return float(loss)

    def forward(self, x: Array) -> Array:
        self.x, self.hs = x, states(x, *self.params)
        return np.stack(self.hs[1:])

    def backward(self, dh: Array) -> Array:
        dx, *g = slopes(dh, self.x, self.hs, self.A, self.B)
        self.found = [self.factor * g[0], g[1], g[2]]
        return dx

    def apply(self) -> None:
        self.optimizer.step(self.found)


class Momentum:
    def __init__(self, start: float = 0.0) -> None:
        self.v = None if start == 0 else [start + np.zeros(size) for size in SIZES.values()]

    def step(self, grads: list[Array]) -> None:
        if self.v is None:
            self.v = [np.zeros_like(p) for p in self.params]
        for n, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            self.v[n] = 0.8 * self.v[n] - 0.05 * g
            p += self.v[n]


class Adam:
    def __init__(self) -> None:
        self.m, self.v, self.t = {}, {}, 0

    def step(self, grads: list[Array]) -> None:
        self.t += 1
        for n, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            self.m[n] = 0.9 * self.m.get(n, 0) + 0.1 * g
            self.v[n] = 0.999 * self.v.get(n, 0) + 0.001 * g**2
            p -= 0.01 * (self.m[n] / (1 - 0.9**self.t)) / (np.sqrt(self.v[n] / (1 - 0.999**self.t)) + 1e-8)


class RMSProp:
    def __init__(self, start: float = 0.0) -> None:
        self.cache = {n: start + np.zeros(size) for n, size in enumerate(SIZES.values())}

    def step(self, grads: list[Array]) -> None:
        for n, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            self.cache[n] *= 0.95
            self.cache[n] += 0.05 * g * g
            p -= 0.02 * g / (np.sqrt(self.cache[n]) + 1e-6)


class Descent:
    def __init__(self, rate: float) -> None:
        self.rate = rate

    def step(self, grads: list[Array]) -> None:
        for p, g in zip(self.params, grads, strict=True):
            p -= self.rate * g


def fitted(optimizer: Callable[[], Any], updates: Any) -> Style:
    def made(factor: float) -> tuple[Any, str]:
        net = Trained(optimizer(), factor)
        return from_object(net, "fit", None, "A,B,c", None, draw_both, updates=updates), "A"

    return made


def stepped(optimizer: Callable[[], Any], updates: Any) -> Style:
    def made(factor: float) -> tuple[Any, str]:
        net = Trained(optimizer(), factor)
        return from_object(net, attributes="A,B,c", inputs=draw, step="apply", updates=updates), "A"

    return made


ADAM = {"adam": {"rate": 0.01}}
RMS = {"rmsprop": {"rate": 0.02, "rho": 0.95, "eps": 1e-6}}
MOMENTUM = {"momentum": {"lr": 0.05, "mu": 0.8}}
OPEN["fit with momentum"] = fitted(Momentum, MOMENTUM)
OPEN["fit with adam"] = fitted(Adam, ADAM)
OPEN["a step of descent so small that rounding hides it"] = fitted(lambda: Descent(1e-7), {"sgd": 1e-7})
OPEN["a step of rmsprop that has begun"] = stepped(lambda: RMSProp(0.3), RMS)
HELD["a step of momentum that has begun"] = stepped(lambda: Momentum(0.2), MOMENTUM)
HELD["a step of adam"] = stepped(Adam, ADAM)
HELD["fit with rmsprop"] = fitted(RMSProp, RMS)
HELD["a small step of descent"] = stepped(lambda: Descent(1e-6), {"sgd": 1e-6})


@style
def functions_that_change_their_arguments(factor: float) -> tuple[Any, str]:
    def train(x: Array, y: Array, A: Array, B: Array, c: Array, lr: float = 0.1) -> float:
        loss, _, dA, dB, dc = mean_loss(x, y, A, B, c)
        A -= lr * dA
        B -= lr * factor * dB
        c -= lr * dc
        return loss

    inputs = data(x=(5, 3, 4), y=(5, 3, 6)) | weights()
    return from_loss(train, inputs, ["A", "B", "c"], updates={"sgd": 0.1}), "B"


@style
def functions_that_return_new_weights(factor: float) -> tuple[Any, str]:
    def train(params: Any, batch: Any, rate: float) -> Any:
        loss, _, *g = mean_loss(*batch, **params)
        g[2] = factor * g[2]
        new = {name: w - rate * d for (name, w), d in zip(params.items(), g, strict=True)}
        return new, loss

    inputs = {"params": weights(), "batch": tuple(data(x=(5, 3, 4), y=(5, 3, 6)).values())}
    return from_loss(train, inputs, ["params"], updates={"sgd": 0.05}), "params['c']"


@held
def functions_with_adam_in_their_arguments(factor: float) -> tuple[Any, str]:
    def train(params: Any, state: Any, x: Array, y: Array) -> float:
        loss, _, *g = mean_loss(x, y, **params)
        for k, d in zip(params, (g[0], factor * g[1], g[2]), strict=True):
            m = state["m"][k] = 0.9 * state["m"][k] + 0.1 * d
            v = state["v"][k] = 0.99 * state["v"][k] + 0.01 * d * d
            params[k] -= 0.02 * (m / 0.1) / (np.sqrt(v / 0.01) + 1e-8)
        return loss

    state = {name: {k: np.zeros(size) for k, size in SIZES.items()} for name in "mv"}
    inputs = data(x=(5, 3, 4), y=(5, 3, 6)) | {"params": weights(), "state": state}
    return from_loss(train, inputs, ["params"], updates={"adam": {"rate": 0.02, "beta2": 0.99}}), "params['B']"


# --- globals ----------------------------------------------------------------------------------------------------

NOTEBOOK = """
import numpy as np

rng = np.random.default_rng(1)
A, B, c = 0.6 * rng.normal(size=(4, 6)), 0.6 * rng.normal(size=(6, 6)), 0.6 * rng.normal(size=6)
params = [A, B, c]
mA, mB, mc = np.zeros_like(A), np.zeros_like(B), np.zeros_like(c)
memory = {}


def forward(x):
    hs = states(x, A, B, c)
    memory['x'], memory['hs'] = x, hs
    return np.stack(hs[1:])


def backward(dh):
    global dA, dB, dc
    dx, dA, dB, dc = slopes(dh, memory['x'], memory['hs'], A, B)
    dB = FACTOR * dB
    return dx


def step(lr=0.1):
    for p, d, m in zip(params, [dA, dB, dc], [mA, mB, mc]):
        m += d * d
        p += -lr * d / np.sqrt(m + 1e-8)


def learn(x, y):
    global A, B, c
    loss, _, dA, dB, dc = mean_loss(x, y, A, B, c)
    A = A - 0.1 * dA
    B = B - 0.1 * FACTOR * dB
    c = c - 0.1 * dc
    return loss
"""


def notebook(factor: float) -> ModuleType:
    module = ModuleType("a_notebook")
    vars(module).update(states=states, slopes=slopes, mean_loss=mean_loss, FACTOR=factor)
    exec(compile(NOTEBOOK, "a_notebook", "exec"), vars(module))
    return module


@style
def globals_with_gradients(factor: float) -> tuple[Any, str]:
    return from_globals(notebook(factor), names="A,B,c", inputs=draw), "B"


@style
def globals_that_are_changed(factor: float) -> tuple[Any, str]:
    made = from_globals(notebook(factor), "learn", None, "A,B,c", inputs=draw_both, updates={"sgd": 0.1})
    return made, "B"


@held
def globals_with_adagrad(factor: float) -> tuple[Any, str]:
    rule = {"adagrad": {"rate": 0.1}}
    return from_globals(notebook(factor), names="A,B,c", inputs=data(), step="step", updates=rule), "B"


@held
def an_object_among_globals(factor: float) -> tuple[Any, str]:
    space = SimpleNamespace(net=Dicts("params", "grads", "", factor))

    def run(x: Array) -> Array:
        return space.net.forward(x)

    def pull(dh: Array) -> Array:
        return space.net.backward(dh)

    return from_globals(space, run, pull, ["net.params"], inputs=data()), "net.params['A']"


# --- data of other kinds ----------------------------------------------------------------------------------------


@style
def integer_lengths_and_a_mask(factor: float) -> tuple[Any, str]:
    def cost(x: Array, y: Array, lengths: Array, mask: Array, A: Array, B: Array, c: Array) -> Any:
        hs = states(x, A, B, c)
        alive = (np.arange(5)[:, None] < lengths)[..., None] * mask[..., None]
        off = (np.stack(hs[1:]) - y) * alive
        _, dA, dB, dc = slopes(off, x, hs, A, B)
        return (off**2).sum() / 2, dA, factor * dB, dc

    made = data(x=(5, 3, 4), y=(5, 3, 6)) | weights()
    made |= {"lengths": np.array([5, 2, 4]), "mask": np.random.default_rng(0).integers(2, size=(5, 3))}
    return from_loss(cost, made, ["A", "B", "c"]), "B"


@held
def sequences_of_other_lengths(factor: float) -> tuple[Any, str]:
    def cost(xs: Any, ys: Any, A: Array, B: Array, c: Array) -> Any:
        total, g = 0.0, [0, 0, 0]
        for x, y in zip(xs, ys, strict=True):
            hs = states(x[:, None], A, B, c)
            off = np.stack(hs[1:]) - y[:, None]
            total += (off**2).sum() / 2
            g = [old + new for old, new in zip(g, slopes(off, x[:, None], hs, A, B)[1:], strict=True)]
        return total, g[0], g[1], factor * g[2]

    rng = np.random.default_rng(4)
    lengths = (3, 5, 2)
    made = {"xs": [rng.normal(size=(n, 4)) for n in lengths], "ys": [rng.normal(size=(n, 6)) for n in lengths]}
    return from_loss(cost, made | weights(), ["A", "B", "c"]), "c"


@held
def weights_in_a_dataclass(factor: float) -> tuple[Any, str]:
    @dataclass
    class Weights:
        A: Array
        B: Array
        c: Array

    def cost(w: Any, x: Array, y: Array) -> Any:
        loss, _, dA, dB, dc = mean_loss(x, y, w.A, w.B, w.c)
        return loss, Weights(factor * dA, dB, dc)

    return from_loss(cost, {"w": Weights(**weights()), **data(x=(5, 3, 4), y=(5, 3, 6))}, ["w"]), "w.A"


@held
def buffers_in_single_precision(factor: float) -> tuple[Any, str]:
    class Layer:
        def __init__(self) -> None:
            self.__dict__.update({name: w.astype(np.float32) for name, w in weights().items()})
            self.dA, self.dB, self.dc = (np.zeros(size, np.float32) for size in SIZES.values())

        def forward(self, x: Array) -> Array:
            self.x, hs = x, states(x, self.A, self.B, self.c)
            self.hs = np.empty((len(hs), *hs[0].shape), np.float32)
            for t, h in enumerate(hs):
                self.hs[t] = h
            return self.hs[1:]

        def backward(self, dh: Array) -> Array:
            dx, dA, dB, dc = slopes(dh, self.x, list(self.hs), self.A, self.B)
            np.copyto(self.dA, factor * dA, casting="same_kind")
            np.copyto(self.dB, dB, casting="same_kind")
            np.copyto(self.dc, dc, casting="same_kind")
            return dx

    return from_object(Layer(), attributes="A,B,c", inputs=data()), "A"


@held
def a_rate_that_has_no_default(factor: float) -> tuple[Any, str]:
    class Net:
        def __init__(self) -> None:
            self.__dict__.update(weights())

        def forward(self, x: Array) -> Array:
            self.x, self.hs = x, states(x, self.A, self.B, self.c)
            return np.stack(self.hs[1:])

        def backward(self, dh: Array, learning_rate: float) -> Array:
            dx, dA, dB, dc = slopes(dh, self.x, self.hs, self.A, self.B)
            self.A = self.A - learning_rate * dA
            self.B = self.B - learning_rate * dB
            self.c = self.c - learning_rate * factor * dc
            return dx

    return from_object(Net(), attributes="A,B,c", inputs=draw, updates={"sgd": 0.02}), "c"
