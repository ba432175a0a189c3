"""Pictures keep the laws of `tests.pictures.laws`, say what the equations say, and are files that programs can read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symrnn
from symrnn import cells
from symrnn.errors import InputError, SymrnnError, UnknownNameError
from symrnn.language.recurrence import Cell
from symrnn.pictures import DETAILS, FORMS, Picture, draw
from symrnn.pictures.drawing import Drawing
from symrnn.pictures.elements import Diagram, Element, ElementKind, Wire
from symrnn.pictures.joining import join_lines
from symrnn.pictures.lettering import runs_of
from symrnn.pictures.reading import read_diagram
from symrnn.printers import NOTATIONS
from tests.pictures.laws import LAWS, faults, misread
from tests.strategies import random_cells

SUBSCRIPT = NOTATIONS["subscript"]
NAMES = tuple(cells)
MAIN = ("lstm", "lstm_peephole", "gru_reset_after", "mgu", "slstm", "mlstm", "lstm_layer_norm", "lru")
"""Those whose pictures are the hardest; the sweep goes through all."""


def assert_lawful(picture: Picture) -> None:
    assert faults(picture.drawing) == []
    ElementTree.fromstring(picture.svg)


def assert_says_the_same(cell: Cell, detail: str = "gates") -> None:
    assert misread(cell, join_lines(read_diagram(cell, SUBSCRIPT, detail))) == []


@pytest.mark.parametrize("name", [name for number, name in enumerate(NAMES) if number % 3 == 0 or name in MAIN])
def test_cells_of_the_library(name: str) -> None:
    picture = draw(name)
    assert_lawful(picture)
    assert_says_the_same(cells[name])
    assert len(picture.drawing.shapes) <= 40


@pytest.mark.parametrize("notation", tuple(NOTATIONS)[::4])
def test_every_notation(notation: str) -> None:
    assert_lawful(draw("gru_reset_after", notation=notation, weights=True))


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm_peephole"])
@pytest.mark.parametrize("detail", DETAILS)
def test_weights_steps_and_gradients(name: str, detail: str) -> None:
    assert_says_the_same(cells[name], detail)
    assert_lawful(draw(name, detail=detail, weights=True, steps=2, gradient=cells[name].states[-1]))


@settings(max_examples=15, deadline=None)
@given(random_cells(), st.sampled_from(DETAILS))
def test_any_cell(cell: Cell, detail: str) -> None:
    assert_lawful(draw(cell, detail=detail))
    assert_says_the_same(cell, detail)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("detail", DETAILS)
def test_weights_steps_and_gradients_of_the_library(name: str, detail: str) -> None:
    assert_says_the_same(cells[name], detail)
    picture = draw(name, detail=detail)
    assert_lawful(picture)
    assert len(picture.drawing.shapes) <= 40
    for state in cells[name].states:
        assert_lawful(draw(name, detail=detail, weights=True, steps=2, gradient=state))


@pytest.mark.long
@settings(max_examples=400, deadline=None)
@given(random_cells(equations=12), st.sampled_from(DETAILS), st.integers(1, 2), st.booleans())
def test_any_cell_at_length(cell: Cell, detail: str, steps: int, weights: bool) -> None:
    assert_lawful(draw(cell, detail=detail, steps=steps, weights=weights, gradient=cell.states[0]))
    assert_says_the_same(cell, detail)


# --- what a picture shows ---


def shown(picture: Picture) -> dict[str, str]:
    return {shape.element.key: shape.element.label for shape in picture.drawing.shapes}


def test_a_gate_is_one_box() -> None:
    labels = shown(draw("lstm"))
    assert [labels[name] for name in "figo"] == [r"\sigma", r"\sigma", r"\tanh", r"\sigma"]
    assert labels["c.1"] == r"\odot"
    assert labels["c"] == "+"


def test_four_gates_share_one_line() -> None:
    diagram = join_lines(read_diagram(cells.lstm, SUBSCRIPT))
    (join,) = [key for key, element in diagram.elements.items() if element.kind is ElementKind.JOIN]
    assert {wire.source for wire in diagram.into(join)} == {"x", "h_prev"}
    assert {wire.target for wire in diagram.out_of(join)} == set("figo")


def test_weights_are_on_the_lines() -> None:
    weights = {label.formula for label in draw("gru", weights=True).drawing.labels if label.kind == "weight"}
    assert weights == {"W_r, U_r", "W_z, U_z", "W_n", "U_n"}


def test_operations_draw_every_product_and_bias() -> None:
    labels = list(shown(draw("rnn", detail="operations")).values())
    assert sorted(labels) == sorted(["x_t", "h_{t-1}", "W", "U", "b", "+", r"\tanh", "h_t", "h_t"])


def test_the_direct_way_of_an_lstm_has_the_factor_f() -> None:
    drawing = draw("lstm", gradient="c").drawing
    direct = [(line.wire.source, line.wire.target) for line in drawing.lines if line.way == "direct"]
    assert set(direct) == {("c_prev", "c.1"), ("c.1", "c"), ("c", "c.after")}
    notes = {label.owner: label.formula for label in drawing.labels if label.kind == "note"}
    assert notes["c.1"] == r"f_t \ \odot"
    assert notes["c_prev"] == r"\delta c_{t-1}"


def test_a_gradient_comes_back_through_later_steps() -> None:
    lines = draw("lstm", gradient="c", steps=2).drawing.lines
    ways = {(line.wire.source, line.wire.target) for line in lines if line.way}
    assert ("f.step1", "c.1.step1") not in ways  # f_t does not depend on c_{t-1}
    assert ("f.step2", "c.1.step2") in ways  # f_{t+1} does, through h_t


def test_steps_have_names_of_their_own_time() -> None:
    labels = shown(draw("gru", steps=3))
    assert [labels[f"x.step{n}"] for n in (1, 2, 3)] == ["x_t", "x_{t+1}", "x_{t+2}"]
    assert [labels[f"h.after.step{n}"] for n in (1, 2, 3)] == ["h_t", "h_{t+1}", "h_{t+2}"]
    assert "h_prev.step2" not in labels


def test_the_notation_is_followed() -> None:
    assert r"h^{\langle t \rangle}".replace(" ", "") in draw("rnn", notation="angle").tikz.replace(" ", "")


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        (r"h_{t-1}", [("h", 0, ""), ("t", -1, ""), ("−1", -1, "")]),
        (r"\tilde{\mathbf{c}}^{\langle t \rangle}", [("c", 0, "˜"), ("⟨", 1, ""), ("t", 1, ""), ("⟩", 1, "")]),
        (r"\log\sigma", [("log\u2009", 0, ""), ("σ", 0, "")]),
        (r"\mathrm{W\_x}_{ih}", [("W_x", 0, ""), ("ih", -1, "")]),
        (r"\frac{\partial L}{\partial h_t}", [("∂", 0, ""), ("L", 0, ""), ("/∂", 0, ""), ("h", 0, ""), ("t", -1, "")]),
        (r"\unknown{x", [("unknown", 0, ""), ("x", 0, "")]),
        ("}_^", []),
    ],
)
def test_labels_are_set_piece_by_piece(formula: str, shown: list[tuple[str, int, str]]) -> None:
    runs = runs_of(formula)
    assert [(run.text, (run.rise > 0) - (run.rise < 0), run.accents) for run in runs] == shown


# --- all sorts of cells ---

ODD = {
    "no gates": 'def f(x: "d_h", h):\n    h = x + h\n    return h',
    "autonomous": "def f(h, *, U):\n    h = tanh(U @ h)\n    return h",
    "three of each": "def f(x, y, z, a, b, c, *, W, V, U):\n    a = a * tanh(W @ x + b)\n"
    "    b = sigmoid(V @ y + c) * b\n    c = c + tanh(U @ z) * a\n    return a, b, c",
    "scalars": 'def f(x: "()", s: "()", *, w: "()"):\n    s = tanh(w * s + x)\n    return s',
    "states that change places": "def f(x, h, c, *, W):\n    old = h\n    h = tanh(W @ x) * c\n    c = old\n"
    "    return h, c",
    "thirty equations": "def f(x, h, *, W, U):\n    v0 = tanh(W @ x + U @ h)\n"
    + "".join(f"    v{n} = tanh(v{n - 1} + v{max(n - 3, 0)})\n" for n in range(1, 30))
    + "    h = v29 * h\n    return h",
    "an input that is not read": "def f(x, y, h, *, W):\n    h = tanh(W @ x) * h\n    return h",
    "ten factors": 'def f(x: "d_h", h):\n    h = ' + " * ".join(["x", "h"] * 3) + " * tanh(x) * exp(h)\n    return h",
    "nine terms": 'def f(x: "d_h", h):\n    h = '
    + " + ".join(f"tanh({n} * x * h)" for n in range(1, 10))
    + "\n    return h",
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("text", ODD.values(), ids=list(ODD))
@pytest.mark.parametrize("detail", DETAILS)
def test_odd_cells(text: str, detail: str) -> None:
    cell = Cell.from_source(text)
    assert_lawful(draw(cell, detail=detail, gradient=cell.states[0], weights=True))
    assert_says_the_same(cell, detail)


def test_a_title_with_markup_is_text() -> None:
    cell = Cell.from_source(
        'def f(x, h, *, W):\n    """A <b> & "quoted" ]]> title."""\n    h = tanh(W @ x) * h\n    return h'
    )
    title = ElementTree.fromstring(draw(cell).svg).find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == 'f: A <b> & "quoted" ]]> title'


def test_a_wide_name_that_is_not_read_on() -> None:
    text = (
        "def f(x, h, long_name, *, W):\n    long_name = tanh(W @ x) * h\n    h = long_name * h\n    return h, long_name"
    )
    assert_lawful(draw(Cell.from_source(text), steps=2))


# --- files ---


def test_svg_is_on_its_own() -> None:
    svg = draw("lstm", gradient="c").svg
    root = ElementTree.fromstring(svg)
    assert root.get("viewBox")
    assert "currentColor" in svg
    assert "prefers-color-scheme: dark" in svg
    assert not re.search(r"<script|href|@import|url\(", svg)
    names = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(names) == len(set(names))
    assert {"lstm-f", "lstm-c", "lstm-f-c.1"} <= set(names)


def test_the_same_cell_gives_the_same_picture() -> None:
    one, two = draw("gru_reset_after", gradient="h"), draw("gru_reset_after", gradient="h")
    assert [one.written(form) for form in FORMS] == [two.written(form) for form in FORMS]


def test_a_notebook_shows_it() -> None:
    assert symrnn.draw(cells.rnn)._repr_svg_() == draw("rnn").svg


@pytest.mark.parametrize("form", FORMS)
def test_saving(form: str, tmp_path: Path) -> None:
    picture = draw("rnn")
    assert picture.save(tmp_path / f"rnn.{form}").read_text(encoding="utf-8") == picture.written(form)


@pytest.mark.parametrize(
    ("name", "said"),
    [("a.jpg", "not written as .jpg"), ("a", "no ending"), (".", "no ending"), ("a.docx", ".svg, .tex")],
)
def test_files_that_are_no_pictures(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        draw("rnn").save(tmp_path / name)


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(SymrnnError, match="this is a directory"):
        draw("rnn").save(tmp_path / "a.svg")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"gradient": "f"}, "no such state"),
        ({"steps": 0}, "1 to 8 steps"),
        ({"steps": 9}, "1 to 8 steps"),
        ({"detail": "gate"}, "did you mean 'gates'"),
    ],
)
def test_wrong_options(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        draw("lstm", **options)  # type: ignore[arg-type]


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError):
        draw("lstn")
    with pytest.raises(UnknownNameError):
        draw("lstm", notation="bolt")


# --- the laws see what is wrong ---


def spoiled(drawing: Drawing) -> dict[str, Drawing]:
    """A drawing with one thing wrong for each law."""
    shapes, lines, labels = drawing.shapes, drawing.lines, drawing.labels
    at = {shape.element.key: number for number, shape in enumerate(shapes)}

    def moved(key: str, dx: float, dy: float) -> Drawing:
        one = shapes[at[key]]
        new = replace(one, centre=(one.centre[0] + dx, one.centre[1] + dy))
        return replace(drawing, shapes=(*shapes[: at[key]], new, *shapes[at[key] + 1 :]))

    line = next(line for line in lines if len(line.points) > 2)
    straight = replace(line, points=(line.points[0], line.points[-1]))
    f, i = shapes[at["f"]], shapes[at["i"]]
    through = replace(lines[0], points=((f.box[0] - 1, f.centre[1]), (i.box[2] + 1, i.centre[1])))
    other = replace(lines[0], wire=Wire("i", lines[0].wire.target))
    return {
        "shapes_keep_apart": moved("i", f.centre[0] - i.centre[0], 0),
        "labels_keep_apart": replace(drawing, labels=(*labels, replace(labels[0], place=(f.box[0], f.centre[1])))),
        "all_is_inside": replace(drawing, width=drawing.width / 2),
        "lines_end_at_their_elements": moved("f", 0, 3),
        "lines_run_at_right_angles": replace(drawing, lines=(*lines, straight)),
        "lines_run_around_elements": replace(drawing, lines=(*lines, through)),
        "nets_share_no_piece": replace(drawing, lines=(*lines, other)),
        "states_run_from_left_to_right": moved("c.after", 0, 5),
        "names_stand_outside": moved("x", 0, -60),
    }


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_sees_what_is_wrong(law) -> None:  # type: ignore[no-untyped-def]
    drawing = draw("lstm").drawing
    assert list(law(drawing)) == []
    assert list(law(spoiled(drawing)[law.__name__])) != []


def test_a_lost_wire_is_seen() -> None:
    diagram = read_diagram(cells.gru, SUBSCRIPT)
    less = diagram.with_wires(diagram.elements, [w for w in diagram.wires if w.source != "x"])
    assert misread(cells.gru, less) == ["h depends on x in one of both only"]


def test_a_diagram_without_order_is_refused() -> None:
    one, two = Element("a", ElementKind.BOX, "a"), Element("b", ElementKind.BOX, "b")
    with pytest.raises(ValueError, match="comes after"):
        Diagram({"a": one, "b": two}, (Wire("b", "a"),))
    with pytest.raises(ValueError, match="no such element"):
        Diagram({"a": one}, (Wire("b", "a"),))
