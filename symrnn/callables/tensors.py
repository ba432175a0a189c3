"""Hand-written backward passes in PyTorch and JAX, as pairs of functions of arrays: tensors in, tensors out.

What a framework differentiates by itself is taken as it comes out of it; the truth is the forward pass alone, as ever.
Everything is computed in double precision.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.adapters import Pair, first_of, join_inputs
from symrnn.callables.conventions import gradients_of
from symrnn.callables.draws import Inputs
from symrnn.callables.invocation import signature
from symrnn.callables.matching import join_returned
from symrnn.callables.trees import Tree, leaves, map_leaves, replace_leaves
from symrnn.callables.written import read_returned_names
from symrnn.errors import InputError

Gradients = Callable[[Any], dict[str, Any]]
"""Cotangents -> name of an argument -> its gradient."""


def from_torch(
    target: Any, inputs: Inputs, backward: Callable[..., Any] | str | None = None, *, forward: str = "forward"
) -> Pair:
    """A backward pass that is written by hand in PyTorch.

    Args:
        target: a `torch.autograd.Function`; a module, whose parameters are the weights; or a function of tensors.
        inputs: the arguments as NumPy arrays, by name; or a function that makes them.  The arguments of a `Function`
            are called as its own `forward` calls them.
        backward: a function of tensors, or the name of a module's method, that takes cotangents and returns gradients
            or leaves them in `.grad` or in attributes.  None for a module's own method `backward`, if it has one, and
            otherwise where autograd calls the hand-written one.
        forward: a module's method for the forward pass.

    Returns:
        forward, backward and inputs, as `check_gradients(*...)` takes them.

    Raises:
        InputError: it is none of these.
    """
    import torch

    if isinstance(target, type) and issubclass(target, torch.autograd.Function):
        return _differentiated(_applied(target), _TorchTensors(), inputs, getattr(target, "backward", None))
    if isinstance(target, torch.nn.Module):
        return _of_module(target, inputs, forward, backward)
    if isinstance(target, type) or not callable(target) or isinstance(backward, str):
        problem = f"from_torch: expected a Function, a module or a function, got {type(target).__name__}"
        raise InputError(f"{problem}\n  pass the class itself, a module, or a function of tensors")
    if backward is None:
        return _differentiated(target, _TorchTensors(), inputs, None)
    return _converted(target, _TorchTensors()), _converted(backward, _TorchTensors()), inputs


def from_jax(function: Callable[..., Any], inputs: Inputs, backward: Callable[..., Any] | None = None) -> Pair:
    """A backward pass that is written by hand in JAX.

    Args:
        function: a function with `jax.custom_vjp`, or one that calls such; it takes `inputs` by their names.
        inputs: the arguments as NumPy arrays, or dicts and lists of them; or a function that makes them.
        backward: a function of arrays that takes cotangents, and a cache if forward returns one; None where JAX calls
            the hand-written one.
    """
    if backward is not None:
        return _converted(function, _JaxArrays()), _converted(backward, _JaxArrays()), inputs
    return _differentiated(function, _JaxArrays(), inputs, getattr(function, "bwd", None))


# Frameworks.


class _TorchTensors:
    """Arrays as tensors."""

    def put(self, tree: Tree) -> Tree:
        """Arrays to tensors."""
        import torch

        def convert(_path: str, leaf: Any) -> Any:
            return torch.from_numpy(np.array(leaf)) if isinstance(leaf, np.ndarray | np.generic) else leaf

        return map_leaves("", tree, convert)

    def take(self, tree: Tree) -> Tree:
        """Tensors to arrays."""

        def convert(_path: str, leaf: Any) -> Any:
            return leaf.detach().cpu().resolve_conj().numpy().copy() if hasattr(leaf, "detach") else leaf

        return map_leaves("", tree, convert)

    def call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """What the function returns."""
        return function(*arguments, **named)

    def differentiate(self, function: Callable[..., Any], arguments: Mapping[str, Tree]) -> tuple[Any, Gradients]:
        """What the function returns, and what gives the gradients of its arguments."""
        import torch

        given = {name: self.put(tree) for name, tree in arguments.items()}
        free = {
            (name, path): leaf
            for name, tree in given.items()
            for path, leaf in leaves(name, tree).items()
            if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()
        }
        for leaf in free.values():
            leaf.requires_grad_()
        with torch.enable_grad():
            returned = function(**given)

        def pull(cotangents: Any) -> dict[str, Any]:
            pairs = zip(leaves("", returned).values(), leaves("", self.put(cotangents)).values(), strict=True)
            kept = [pair for pair in pairs if getattr(pair[0], "requires_grad", False)]
            if not kept:
                return {}
            outputs, vectors = zip(*kept, strict=True)
            found = torch.autograd.grad(outputs, list(free.values()), vectors, retain_graph=True, allow_unused=True)
            named = dict(zip(free, self.take(list(found)), strict=True))
            trees = {name: {path: one for (owner, path), one in named.items() if owner == name} for name in arguments}
            return {
                name: replace_leaves(name, arguments[name], parts)
                for name, parts in trees.items()
                if any(part is not None for part in parts.values())
            }

        return returned, pull


class _JaxArrays:
    """NumPy's arrays as JAX's."""

    def put(self, tree: Tree) -> Tree:
        """Arrays of floats to JAX's."""
        from jax import numpy as jnp

        return map_leaves("", tree, lambda _, leaf: jnp.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf)

    def take(self, tree: Tree) -> Tree:
        """JAX's arrays to NumPy's."""
        return map_leaves("", tree, lambda _, leaf: np.array(leaf) if hasattr(leaf, "__jax_array__") else _plain(leaf))

    def call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """What the function returns, in double precision."""
        import jax

        with jax.enable_x64(True):
            return function(*arguments, **named)

    def differentiate(self, function: Callable[..., Any], arguments: Mapping[str, Tree]) -> tuple[Any, Gradients]:
        """What the function returns, and what gives the gradients of its arguments."""
        import jax

        kinds = {name: {_kind(leaf) for leaf in leaves(name, tree).values()} for name, tree in arguments.items()}
        free = {name: tree for name, tree in arguments.items() if kinds[name] <= {"f"}}
        rest = {name: tree for name, tree in arguments.items() if name not in free}

        def run(given: Mapping[str, Any]) -> Any:
            return function(**given, **rest)

        with jax.enable_x64(True):
            if any("c" in kind for kind in kinds.values()):
                return run(self.put(free)), lambda _: {}
            returned, pullback = jax.vjp(run, self.put(free))

        def pull(cotangents: Any) -> dict[str, Any]:
            with jax.enable_x64(True):
                found: dict[str, Any] = self.take(pullback(self.put(cotangents))[0])
                return found

        return returned, pull


def _plain(leaf: Any) -> Any:
    return np.array(leaf) if type(leaf).__module__.startswith("jax") and hasattr(leaf, "__array__") else leaf


def _kind(leaf: Any) -> str:
    return str(np.asarray(leaf).dtype.kind)


_Framework = _TorchTensors | _JaxArrays

# Pairs.


def _differentiated(
    function: Callable[..., Any], tensors: _Framework, inputs: Inputs, theirs: Callable[..., Any] | None
) -> Pair:
    """A function that its framework differentiates, by calling what is written by hand."""

    def forward(**arguments: Any) -> Any:
        returned, pull = tensors.differentiate(function, arguments)
        outputs = tensors.take(returned)
        return (*outputs, pull) if type(outputs) is tuple else (outputs, pull)

    def backward(cotangents: Any, *, held_cache: Gradients) -> dict[str, Any]:
        return held_cache(cotangents)

    if theirs is not None and hasattr(theirs, "__code__"):
        backward.__signature__ = inspect.signature(backward)  # type: ignore[attr-defined]
        backward.__wrapped__ = theirs  # type: ignore[attr-defined]
    return forward, backward, inputs


def _applied(target: Any) -> Callable[..., Any]:
    """A `Function` as a function of the arguments of its forward, by their names."""
    known = signature(target.forward)
    names = [] if known is None else [p.name for p in known.parameters.values() if p.kind is not p.VAR_POSITIONAL]
    if "setup_context" not in vars(target):  # then the first one is the context
        names = names[1:]

    def run(**arguments: Any) -> Any:
        order = [name for name in names if name in arguments]
        order += [name for name in arguments if name not in order]
        return target.apply(*(arguments[name] for name in order))

    if known is not None:
        kept = [parameter for name, parameter in known.parameters.items() if name in names]
        run.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
    return run


def find_framework(value: Any) -> str:
    """The framework whose hand-written derivative something is: `torch`, `jax`, or empty for anything else."""
    kinds = value.__mro__ if isinstance(value, type) else type(value).__mro__
    names = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in kinds}
    if "torch.Function" in names and isinstance(value, type):
        return "torch" if value.__module__.partition(".")[0] != "torch" else ""
    if "torch.Module" in names and not isinstance(value, type):
        return "torch" if callable(getattr(value, "backward", None)) else ""
    return "jax" if "jax.custom_vjp" in names else ""


def called_by_framework(value: Any) -> Callable[..., Any]:
    """A function with the parameters of what `find_framework` knows."""
    if isinstance(value, type):
        return _applied(value)
    forward: Callable[..., Any] = getattr(value, "forward", value)
    return forward


def _converted(function: Callable[..., Any], tensors: _Framework) -> Callable[..., Any]:
    """A function of arrays in place of one of tensors."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        given = [tensors.put(one) for one in arguments]
        return tensors.take(tensors.call(function, *given, **{name: tensors.put(one) for name, one in named.items()}))

    return call


def _of_module(module: Any, inputs: Inputs, forward: str, backward: Any) -> Pair:
    """A module; autograd runs it backwards, unless it has a method for that."""
    import torch

    tensors = _TorchTensors()
    double = copy.deepcopy(module).double()
    weights: dict[str, Array] = {name: tensors.take(one) for name, one in double.named_parameters()}
    given = join_inputs("from_torch", weights, inputs)
    method = backward or ("backward" if callable(getattr(module, "backward", None)) else None)
    if method is None:

        def run(**arguments: Any) -> Any:
            own = {name: arguments.pop(name) for name in weights}
            if forward == "forward":
                return torch.func.functional_call(double, own, (), arguments)
            raise InputError("from_torch: autograd runs a module's own forward\n  name the method backward=")

        return _differentiated(run, tensors, given, None)
    return _of_methods(double, weights, given, forward, method)


def _of_methods(double: Any, weights: Mapping[str, Array], given: Inputs, forward: str, backward: Any) -> Pair:
    """A module with a method for the backward pass, which returns gradients, or leaves them beside its parameters."""
    import torch

    tensors = _TorchTensors()
    theirs = getattr(double, backward) if isinstance(backward, str) else functools.partial(backward, double)

    def run(**arguments: Any) -> Any:
        twin = copy.deepcopy(double)
        with torch.no_grad():
            for name, parameter in twin.named_parameters():
                parameter.data = tensors.put(arguments.pop(name))
            returned = tensors.take(getattr(twin, forward)(**tensors.put(arguments)))
        return (*returned, twin) if type(returned) is tuple else (returned, twin)

    def pull(*cotangents: Any, held_cache: Any) -> Any:
        method = getattr(held_cache, backward) if isinstance(backward, str) else functools.partial(backward, held_cache)
        with torch.no_grad():
            returned = tensors.take(method(*tensors.put(list(cotangents))))
        return join_returned(_left(held_cache), returned, words, names, list(weights))

    def _left(twin: Any) -> dict[str, Any]:
        found = {name: tensors.take(one.grad) for name, one in twin.named_parameters() if one.grad is not None}
        for name in [name for name in weights if name not in found]:
            head, _, last = name.rpartition(".")
            held = {key: one for key, one in vars(twin.get_submodule(head)).items() if isinstance(one, torch.Tensor)}
            for key in gradients_of(held, [last]):
                found[name] = tensors.take(held[key])
        return found

    words, names = read_returned_names(theirs), list(first_of(given))
    pull.__signature__ = inspect.signature(pull)  # type: ignore[attr-defined]
    pull.__wrapped__ = getattr(theirs, "__func__", theirs)  # type: ignore[attr-defined]
    return run, pull, given
