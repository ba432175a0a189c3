"""How people name gradients, cotangents and caches; a table of patterns and nothing else."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

# The longer forms before the shorter: `dLdW` is read as dL/dW before it is read as the gradient of LdW.
_GRADIENT_OF = [
    re.compile(pattern)
    for pattern in (
        r"^d_?L_?_?d_?(.+)$",
        r"^d_?L_(.+)$",
        r"^d_?(.+)$",
        r"^d_?(.+?)_?(?:out|t)$",
        r"^grads?_?(?:of_)?(.+)$",
        r"^gradient_?(?:of_)?(.+)$",
        r"^(.+?)_?grads?$",
        r"^(.+?)_?gradient$",
        r"^(.+?)_?bars?$",
        r"^bar_?(.+)$",
        r"^g_?(.+)$",
        r"^delta_?(.+)$",
        r"^[δ∂∇]_?(.+)$",
        r"^(.+?)_?adj(?:oint)?$",
        r"^(.+?)_?(?:cot|cotangent)$",
    )
]
_CACHE = re.compile(
    r"^_*(?:(?:.*_)?(?:cache|tape|ctx|context|memory|mem|saved|stored|store|residuals|intermediates|history|trace|stash|"
    r"activations|internals|fwd|forward)s?\d*|cache.*|.*caches?)$",
    re.IGNORECASE,
)
_ALL_COTANGENTS = re.compile(
    r"^(?:cotangents|cots|grads|gradients|douts|d_?outputs|d_?outs|d_?states|grad_?outputs|output_?grads|bars|upstreams|deltas|vs)$"
)
_PLAIN_COTANGENT = re.compile(
    r"^(?:d_?out|d_?output|d_?y|dL|upstream|cotangent|cot|ct|grad|gradient|delta|g|v|u|bar|error|err|d|dy|dout)s?$|^[δ∂].*$"
)
BAGS = ("grads", "gradients", "grad")
"""What people call a dict of all gradients."""
BARE_GRADIENTS = ("grad", "gradient", "grads", "g", "d", "dv", "dw", "delta", "derivative", "diff", "adjoint")
"""What people call the gradient in an object that holds one parameter, beside its value."""
LOSSES = ("loss", "cost", "error", "objective", "J", "L", "E", "nll", "mse")
"""What people call a loss."""
RATES = ("learning_rate", "lr", "eta", "rate", "step_size", "alpha", "lrate", "learn_rate", "l_rate", "epsilon_lr")
"""What people call the rate of an update."""
_DATA = re.compile(
    r"^(?:x|xs|xt|x_t|X|input|inputs|data|sequence|seq|batch|tokens|y|ys|t|target|targets|label|labels|mask|masks)\b"
    r"|^(?:[xyXY]s?|[xyXY]_?(?:true|train|batch|seq|data|in|t|one_?hot)|one_?hot|(?:seq_?)?len(?:gth)?s)\b"
)
_WORD = re.compile(r"tm1|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_WHEN = re.compile(r"^(?P<rest>[hcsnmz]|state|hidden|cell)?(?:0|prev|previous|init|initial|start|starting|first|tm1)$")
_STATES = re.compile(r"^(?:[hcsnmz]|hs|cs|(?:hidden|cell|memory|context|carry|state)s?|mem|stm|ltm|lstm|gru|rnn)$")
_PLAIN_STATE = re.compile(r"^(?:h|c|s|state|hidden)$")
_START = re.compile(
    r"^(?:prev|previous|initial|init|start|first|last)_|_?(?:prev|previous|initial|init|start|first|last|tm1|0)$"
)


def names_data(word: str) -> bool:
    """Whether an input of that name is data, which is not trained: a sequence, or targets."""
    return bool(_DATA.match(word))


def names_start(path: str) -> bool:
    """Whether an input, or the last name of its path, is called as an initial state is.

    Its words are those for a state, and one that says when: `h0`, `initial_states`, `start_h`, `prev_hidden_state`.
    """
    last = re.split(r"[\[.]", path)[-1].strip("]'\"")
    words = [word.lower() for word in _WORD.findall(last)]
    when = [word for word in words if _WHEN.match(word)]
    rest = [word for word in words if word not in when]
    return bool(_PLAIN_STATE.match(last)) or bool(when and all(map(_STATES.match, rest)))


def names_cache(word: str) -> bool:
    """Whether a parameter, or a key, of that name is a cache."""
    return bool(_CACHE.match(word))


def names_all_cotangents(word: str) -> bool:
    """Whether a parameter of that name takes every cotangent at once."""
    return bool(_ALL_COTANGENTS.match(word))


def names_cotangent(word: str) -> bool:
    """Whether a parameter of that name looks like a cotangent, of whatever output."""
    return bool(_PLAIN_COTANGENT.match(word)) or any(pattern.match(word) for pattern in _GRADIENT_OF)


@functools.cache
def stems(word: str) -> tuple[str, ...]:
    """What `word` may be the gradient of: `W` for `dW`, `d_W`, `grad_W`, `W_bar`; the likeliest first."""
    found = [match.group(1).strip("_") for pattern in _GRADIENT_OF if (match := pattern.match(word))]
    return tuple(stem for stem in dict.fromkeys(found) if stem)


def gradient_of(word: str, names: Iterable[str]) -> str | None:
    """The name among `names` that `word` is the gradient of, or None."""
    return gradients_of([word], names).get(word)


def gradients_of(words: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """Word -> the name that it is the gradient of; no name twice.

    Exact names come first, then without underscores, without case, and at last an initial state under another name
    (`dh_prev` for `h0`); each only where it is one name.
    """
    found: dict[str, str] = {}
    words, rest = list(words), list(names)
    # From the strict to the loose, each for all words before the next: a name that one word fits exactly is gone when
    # the others are compared without underscores and capitals.
    for alike in (_same, _joined, _lowered, _started):
        # The word itself first: a dict of gradients may have the weights' own names.
        for exact in (True, False):
            for word in words:
                if word in found:
                    continue
                for stem in (word,) if exact else stems(word):
                    fitting = [name for name in rest if alike(name) == alike(stem)]
                    # Of two that fit, neither is certain; a wrong pair would be a false finding.
                    if len(fitting) == 1:
                        found[word] = fitting[0]
                        rest.remove(fitting[0])
                        break
    return found


def _same(word: str) -> str:
    return word


def _joined(word: str) -> str:
    return word.replace("_", "")


def _lowered(word: str) -> str:
    return _joined(word).lower()


def _started(word: str) -> str:
    return _lowered(_START.sub("", word) or word)
