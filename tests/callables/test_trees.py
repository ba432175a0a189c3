"""Trees go to named leaves and back."""

import dataclasses
from collections import OrderedDict, namedtuple

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from symrnn.callables.conventions import gradients_of, names_cache
from symrnn.callables.trees import copy_tree, leaves, make_flat_names, map_leaves, replace_leaves
from symrnn.errors import InputError

KEYS = st.one_of(st.text(max_size=4), st.integers(-3, 3))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.tuples(inner, inner), st.dictionaries(KEYS, inner, max_size=4)
    ),
)
Pair = namedtuple("Pair", "first second")


@dataclasses.dataclass(frozen=True)
class Gate:
    W: object
    b: object


@given(TREES)
def test_round_trip(tree):
    found = leaves("root", tree)
    assert replace_leaves("root", tree, found) == tree
    assert copy_tree(tree) == tree
    marked = map_leaves("root", tree, lambda path, _: path)
    assert list(leaves("root", marked).values()) == list(found)
    names = make_flat_names(list(found))
    assert sorted(names.values()) == sorted(found)
    assert all(name.isidentifier() for name in names)


def test_other_containers_keep_their_type():
    tree = OrderedDict(a=Pair(1.0, [2.0]), b=Gate(3.0, (4.0,)))
    assert list(leaves("p", tree)) == ["p['a'][0]", "p['a'][1][0]", "p['b'].W", "p['b'].b[0]"]
    again = replace_leaves("p", tree, {"p['b'].W": 5.0})
    assert again == OrderedDict(a=Pair(1.0, [2.0]), b=Gate(5.0, (4.0,)))
    assert type(again["a"]) is Pair
    assert tree["b"].W == 3.0


def test_a_tree_inside_itself():
    loop = []
    loop.append(loop)
    with pytest.raises(InputError, match="inside itself"):
        leaves("x", loop)


def test_copies_share_nothing():
    tree = {"a": [np.ones(2)]}
    copy_tree(tree)["a"][0][:] = 0
    assert tree["a"][0].sum() == 2


@pytest.mark.parametrize(
    ("words", "names", "found"),
    [
        ("dW d_b gU", "W U b", {"dW": "W", "d_b": "b", "gU": "U"}),
        ("W_bar b_grad grad_U", "W U b", {"W_bar": "W", "b_grad": "b", "grad_U": "U"}),
        ("dWf dW_i", "W_f W_i", {"dWf": "W_f", "dW_i": "W_i"}),
        ("dh_prev dc0", "h0 c_prev", {"dh_prev": "h0", "dc0": "c_prev"}),
        ("dh dh0", "h0", {"dh0": "h0"}),
        ("dw", "W", {"dw": "W"}),
        ("dw", "W w", {"dw": "w"}),
        ("dWout dW", "W Wout", {"dWout": "Wout", "dW": "W"}),
        ("dL_dW nothing", "W", {"dL_dW": "W"}),
        ("dx", "y z", {}),
    ],
)
def test_names_of_gradients(words, names, found):
    assert gradients_of(words.split(), names.split()) == found


@pytest.mark.parametrize("word", "cache caches tape ctx fwd_cache cache_t saved memory cache1".split())
def test_names_of_caches(word):
    assert names_cache(word)


@pytest.mark.parametrize("word", "h dh x W dout cotangents state".split())
def test_names_of_other_things(word):
    assert not names_cache(word)
