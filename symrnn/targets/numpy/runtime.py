"""What every generated NumPy module contains besides the cell's own lines: checking of arguments.

The text is plain Python and knows nothing of this package; the module writer puts it in as it stands.
"""

from __future__ import annotations

RUNTIME = '''\
def _items(what, values, shapes, lead=(), partial=False):
    """The arrays of a dict with exactly these names, or some of them: label -> (value, expected shape)."""
    if not hasattr(values, "keys"):
        raise TypeError(f"{what}: expected a dict with the keys {list(shapes)}, got {type(values).__name__}")
    missing = [] if partial else [k for k in shapes if k not in values]
    unknown = [k for k in values if k not in shapes]
    if missing or unknown:
        raise ValueError(f"{what}: missing {missing}, unknown {unknown}; expected the keys {list(shapes)}")
    return {f"{what}[{k!r}]": (values[k], (*lead, *shape)) for k, shape in shapes.items() if k in values}


def _check(given, dtype=None, tied=()):
    """Compare every array with its expected shape.

    Args:
        given: label -> (value, expected shape); a shape's entries are size names, numbers, or sums (tuples) of them.
        dtype: the type to compute in; by default that of the floating-point arrays, or float64 where all are whole.
        tied: sizes that occur in sums only, where nothing tells them apart; they count as 1.

    Returns:
        The arrays in their order, the sizes by name, and the type.
    """
    arrays = {}
    for label, (value, _) in given.items():
        try:
            arrays[label] = np.asarray(value)
        except ValueError as error:
            raise ValueError(f"{label}: not an array: {error}") from None
        if arrays[label].dtype.kind not in "fciub":
            raise TypeError(f"{label}: expected numbers, got an array of {arrays[label].dtype}")
    if dtype is None:
        dtype = np.result_type(*([a for a in arrays.values() if a.dtype.kind in "fc"] or [np.float64]))
    fitting = [(shape, arrays[k].shape) for k, (_, shape) in given.items() if len(shape) == arrays[k].ndim]
    axes = [axis for pair in fitting for axis in zip(*pair)]  # an array with other axes tells no sizes
    found = {}
    for size, entries in axes:
        if isinstance(size, str):
            found.setdefault(size, []).append(entries)
    sizes = {size: max(entries, key=entries.count) for size, entries in found.items()}  # most arrays are right
    sizes |= dict.fromkeys(tied, 1)
    sums = [(size, entries) for size, entries in axes if isinstance(size, tuple)]
    for size, entries in sums * len(sums):  # a size that occurs in sums only, known when the others are
        unknown = [p for p in size if isinstance(p, str) and p not in sizes]
        if len(set(unknown)) == 1:
            known = sum(sizes[p] if isinstance(p, str) else p for p in size if p not in unknown)
            sizes[unknown[0]] = max((entries - known) // len(unknown), 1)
    for label, (_, shape) in given.items():
        parts = [size if isinstance(size, tuple) else (size,) for size in shape]
        wanted = tuple(sum(sizes.get(p, -1) if isinstance(p, str) else p for p in part) for part in parts)
        if arrays[label].shape != wanted:
            names = ", ".join(" + ".join(map(str, part)) for part in parts) + ("," if len(parts) == 1 else "")
            known = ", ".join(f"{p} = {sizes[p]}" for p in dict.fromkeys(sum(parts, ())) if p in sizes)
            known = f" with {known}" if known else ""
            raise ValueError(f"{label}: expected shape ({names}){known}, got {arrays[label].shape}")
    return [array.astype(dtype, copy=False) for array in arrays.values()], sizes, dtype
'''

OR_ZEROS = '''\
def _or_zeros(values, what, likes):
    """The arrays of a group of arguments, or zeros like these where the group was not given."""
    return [values.get(f"{what}[{name!r}]", np.zeros_like(like)) for name, like in likes.items()]
'''

TRUNCATED = '''\
def _truncated(params, tape, bars, state_bar, truncate):
    """`backward` over windows (k1, k2), added up.

    A window ends after every k1 steps, and after the last one.  It takes the loss of the steps since the window before
    it (k1 steps; fewer in the last window) back through its last k2 steps; the states before these count as given.
    """
    try:
        every, back = truncate
    except (TypeError, ValueError):
        raise ValueError(f"truncate: expected a pair (k1, k2), got {{truncate!r}}") from None
    for size in (every, back):
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise ValueError(f"truncate: expected two whole numbers from 1, got {{truncate!r}}")
    if back < every:
        raise ValueError(f"truncate: expected k1 <= k2, else some steps' loss reaches nothing; got {{truncate!r}}")
    last = len(tape["{output}"]) - 1
    bars = np.zeros_like(tape["{output}"][1:]) if bars is None else np.asarray(bars)
    total = None
    for end in [*range(every, last, every), last]:
        start, since = max(end - back, 0), (end - 1) // every * every
        window = {{}}
        for name, shape in TAPE.items():
            ends = {{"{steps}": end, ("{steps}", 1): end + 1}}.get(shape[0] if shape else None)
            window[name] = tape[name] if ends is None else tape[name][start:ends]
        cut = np.where((np.arange(start, end) >= since).reshape(-1, *[1] * (bars.ndim - 1)), bars[start:end], 0)
        grads, *inputs, states = backward(params, window, cut, state_bar if end == last else None)
        if total is None:
            summed = {{name: np.zeros_like(value) for name, value in grads.items()}}
            input_bars = [np.zeros((last, *value.shape[1:]), value.dtype) for value in inputs]
            initial = {{name: np.zeros_like(value) for name, value in states.items()}}
            total = (summed, *input_bars, initial)
        for name, value in grads.items():
            summed[name] += value
        for whole, value in zip(input_bars, inputs):
            whole[start:end] += value
        if start == 0:
            for name, value in states.items():
                initial[name] += value
    return total
'''
