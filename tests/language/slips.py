"""Slips of newcomers, and what the answer must say: the place, marked ¦ in the text, and words of the remedy."""

from __future__ import annotations

HEAD = "def f(x, h, *, W, U, b):\n"
END = "    h = tanh(W @ x + U @ h + b)\n    return h\n"


def body(line: str) -> str:
    """A cell whose one equation is this."""
    return f"{HEAD}    {line}\n    return h\n"


def before(line: str) -> str:
    """A cell with a line before its equation."""
    return f"{HEAD}    {line}\n{END}"


#: name, text, words of the message
SLIPS = (
    ("star forgotten", "def f(x, h, ¦W, U, b):\n" + END, "put a * before the parameters: def f(x, h, *, W, U, b):"),
    (
        "star forgotten, names with time",
        "def f(x_t, h_prev, ¦W, U):\n    h_t = tanh(W @ x_t + U @ h_prev)\n    return h_t\n",
        "def f(x_t, h_prev, *, W, U):",
    ),
    (
        "star after a parameter",
        "def f(x, h, ¦W, *, U, b):\n" + END,
        "def f(x, h, *, W, U, b):",
    ),
    ("star for matmul", body("h = tanh(¦W * x + U * h + b)"), "write: h = tanh(W @ x + U @ h + b)"),
    (
        "star for matmul once",
        "def f(x, h, *, W, U, V):\n    z = sigmoid(¦V * x)\n    h = z * tanh(W @ x + U @ h)\n    return h\n",
        "write: z = sigmoid(V @ x)",
    ),
    ("caret", body("h = tanh(¦(W @ x) ^ 2 + U @ h + b)"), "write (W @ x) ** 2"),
    ("h_t-1 as an argument", "def f(x, ¦h_t-1, *, W, U, b):\n" + END, "h_prev"),
    ("two equal signs", before("¦h == tanh(x)"), "write one =: h = tanh(x)"),
    ("function without brackets", body("h = tanh ¦W @ x"), "tanh(W @ x)"),
    ("no return", HEAD + "    ¦h = tanh(W @ x + U @ h + b)\n", "end it with 'return h'"),
    (
        "no return of two",
        "def f(x, h, c, *, W):\n    c = W @ x + c\n    ¦h = tanh(c) + h\n",
        "end it with 'return h, c'",
    ),
    ("return of none too", HEAD + "    h = tanh(W @ x + U @ h + b)\n    return h, ¦None\n", "write 'return h'"),
    ("if", before("¦if h > 0: h = x"), "choose with"),
    ("for", before("¦for t in range(10): pass"), "one time step"),
    ("print", before("¦print(h)"), "remove"),
    ("Greek function", body("h = ¦σ(W @ x + U @ h + b)"), "sigmoid"),
    ("Greek parameter", "def f(x, h, *, W, U, ¦β):\n    h = β * tanh(W @ x + U @ h)\n    return h\n", "beta"),
    ("lambda", "def f(x, h, *, W, ¦lambda):\n    h = lambda * h + W @ x\n    return h\n", "lambda_"),
    ("lambda in an equation", body("h = ¦lambda * tanh(W @ x + U @ h + b)"), "lambda_"),
    ("middle dot", body("h = tanh(W ¦· x + U @ h + b)"), "write @"),
    ("times sign", body("h = tanh(W @ x ¦× h)"), "write *"),
    ("circled dot", body("h = h ¦⊙ tanh(W @ x + U @ h + b)"), "write *"),
    ("typographic minus", body("h = tanh(W @ x ¦− U @ h + b)"), "write -"),
    ("superscript two", body("h = tanh(W @ x¦² + U @ h + b)"), "write ** 2"),
    ("transpose as a prime", body("h = tanh(¦W' @ x + U @ h + b)"), "W.T"),
    ("transpose with caret T", body("h = tanh(¦U ^ T @ h + W @ x + b)"), "U.T"),
    ("juxtaposition", body("h = tanh(W ¦x + U h + b)"), "W @ x"),
    ("number next to a name", body("h = tanh(W @ x + ¦2h)"), "2 * h"),
    ("misspelt function", body("h = ¦thanh(W @ x + U @ h + b)"), "did you mean 'tanh'"),
    ("misspelt with module", body("h = ¦np.tahn(W @ x + U @ h + b)"), "did you mean 'tanh'"),
    ("self", body("h = tanh(¦self.W @ x + U @ h + b)"), "write W"),
    ("module called", body("h = ¦nn.Linear(3, 4)(x)"), "W @ x"),
    ("function of the author's", body("h = tanh(¦dense(W, x) + U @ h + b)"), "unknown function 'dense'"),
    ("dictionary of parameters", body("h = tanh(¦params['W'] @ x + U @ h + b)"), "write W"),
    ("index of a step", body("h = tanh(W @ ¦x[t] + U @ h + b)"), "write x"),
    ("index of the step before", body("h = tanh(W @ x + U @ ¦h[t-1] + b)"), "write h"),
    ("star star kwargs", "def f(x, h, **¦params):\n" + END, "name every input, state and parameter"),
    ("annotation of a type", "def f(x: ¦float, h, *, W, U, b):\n" + END, '"d_h" for a vector'),
    ("annotation of an array", "def f(x: ¦np.ndarray, h, *, W, U, b):\n" + END, '"d_h" for a vector'),
    ("annotation of what returns", "def f(x, h, *, W, U, b) -> ¦Tensor:\n" + END, "remove it"),
    ("state not an argument", "def f(x, *, W, b):\n    h = tanh(W @ x + b)\n    return ¦h\n", "def f(x, h, *, W, b):"),
    ("state not assigned", HEAD + "    a = tanh(W @ x + U @ h + b)\n    return ¦h\n", "add a line 'h = ...'"),
    ("parameter not an argument", body("h = tanh(W @ x + ¦V @ h + b)"), "make it an argument"),
    (
        "assigned twice",
        HEAD + "    a = W @ x + b\n    ¦a = U @ h\n    h = a\n    return h\n",
        "a_2 = U @ h",
    ),
    ("state assigned twice", HEAD + "    h = W @ x + b\n    ¦h = U @ x\n    return h\n", "a name of its own"),
    ("plus one", body("h = h+¦++tanh(W @ x)"), "plus sign"),
    ("string", body('h = tanh(¦"W" @ x)'), "not a number"),
    ("comma for a decimal point", body("h = ¦0,5 * tanh(W @ x + U @ h + b)"), "write 0.5"),
    ("number as a gate", body("h = ¦1j * tanh(W @ x + U @ h + b)"), "numbers are written as 1, 0.5"),
    ("missing colon", "def f(x, h, *, W, U, b)¦\n" + END, "':'"),
    ("missing bracket", body("h = tanh¦(W @ x + U @ h + b"), "never closed"),
    ("one bracket too many", body("h = tanh(W @ x + U @ h + b)¦)"), "unmatched ')'"),
    ("arrow", before("¦a <- x"), "write 'a = "),
    ("colon equals", before("a ¦:= x"), "write one ="),
    ("question mark", body("h = x ¦? h : b"), "choose with"),
    ("where", body("h = ¦np.where(x > 0, h, b)"), "choose with"),
    ("zeros", body("h = tanh(W @ x) + ¦np.zeros(3)"), "numbers"),
    ("random", body("h = tanh(W @ x) + ¦np.random.randn(3)"), "make it an input"),
    ("axis that a matrix has not", body("h = h * mean(W @ x, ¦axis=2) + U @ h + b"), "mean takes axis=0, axis=1"),
    ("exponent in quotes", body("h = (U @ h) ** ¦'2' + W @ x + b"), "exponent"),
)
assert len(SLIPS) == 60
HELD_BACK = SLIPS[1::2]
"""Every second one was looked at only when the answers to the others were done."""
