"""The ink of pictures: files that are valid and always the same, texts as they were typed, no display, no settings."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
import time
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest

from losscli.errors import ResourceError, UsageError
from losscli.figures import curves, draw, save, with_data
from losscli.figures.formula import mathtext
from losscli.registry import losses, parse_specs
from tests.pace import book_first

COLUMN = (3.3, 2.6)  # inches: one column of a paper


def drawn(specs: str, **options: object):
    return draw(curves(parse_specs(specs)), **options)


def saved(figure, format: str, dpi: float = 60) -> bytes:
    file = io.BytesIO()
    save(figure, file, format, dpi)
    return file.getvalue()


def texts(figure) -> dict[str, bool]:
    """Every text of a figure, and whether it is parsed as mathematics."""
    import matplotlib.text

    return {
        text.get_text(): text.get_parse_math()
        for text in figure.findobj(matplotlib.text.Text)
        if text.get_text() and text.get_visible()
    }


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", book_first(losses()))
def test_every_loss_is_drawn_at_a_papers_column_width(name):
    image = saved(drawn(name, size=COLUMN), "png", dpi=100)
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(image[16:20]), int.from_bytes(image[20:24])) == (330, 260)


def pixels(image: bytes) -> int:
    """How many bytes of pixels a PNG holds: a damaged one fails its checksums."""
    data, position = b"", 8
    while position < len(image):
        length = int.from_bytes(image[position : position + 4])
        kind, body = image[position + 4 : position + 8], image[position + 8 : position + 8 + length]
        assert zlib.crc32(kind + body) == int.from_bytes(image[position + 8 + length : position + 12 + length])
        data += body if kind == b"IDAT" else b""
        position += 12 + length
    return len(zlib.decompress(data))


@pytest.mark.parametrize("specs", ["huber", "triplet"])
def test_the_files_are_whole(specs):
    figure = drawn(specs)
    width, height = (round(60 * inches) for inches in figure.get_size_inches())
    assert pixels(saved(figure, "png")) == height * (1 + width * 4)
    assert ElementTree.fromstring(saved(figure, "svg")).tag == "{http://www.w3.org/2000/svg}svg"
    document = saved(figure, "pdf")
    assert document.startswith(b"%PDF-")
    assert document.rstrip().endswith(b"%%EOF")


@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_the_same_picture_gives_the_same_bytes(format, monkeypatch):
    first = saved(drawn("contrastive"), format)
    later = time.time() + 1e6
    monkeypatch.setattr(time, "time", lambda: later)
    assert saved(drawn("contrastive"), format) == first


@pytest.mark.parametrize("format", ["svg", "pdf"])
def test_no_file_says_when_it_was_made(format):
    content = saved(drawn("mse"), format)
    assert b"Date" not in content
    assert b"date" not in content


def test_another_format_is_refused():
    with pytest.raises(UsageError) as refusal:
        saved(drawn("mse"), "exe")
    assert str(refusal.value) == '"exe" is not a format of pictures. Hint: it is one of png, svg, pdf.'


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"size": (1, 1)},
            "a picture of 1 x 1 inches cannot be drawn. Hint: it takes from 2 x 1.5 to 60 x 60.",
        ),
        (
            {"size": (6, float("nan"))},
            "a picture of 6 x nan inches cannot be drawn. Hint: it takes from 2 x 1.5 to 60 x 60.",
        ),
        (
            {"size": (60, 60), "dpi": 10_000},
            "10000 dots an inch cannot be drawn at 60 x 60 inches. Hint: it takes from 10 dots an inch to 100,000,000 "
            "dots in all.",
        ),
        ({"style": "ggplt"}, 'there is no style "ggplt". Hint: did you mean "ggplot"?'),
        (
            {"style": "losscli.figures"},
            'there is no style "losscli.figures". Hint: name one of matplotlib\'s styles, or a file that ends in '
            ".mplstyle.",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(UsageError) as refusal:
        drawn("mse", **options)
    assert str(refusal.value) == message


def test_a_style_that_is_an_address_is_not_fetched():
    with pytest.raises(ResourceError) as refusal:
        drawn("mse", style="https://example.org/a.mplstyle")
    assert str(refusal.value) == "https://example.org/a.mplstyle: there is no such file."


def test_too_many_panels_for_the_size_are_refused():
    picture = curves(parse_specs("triplet"), gradient=True)
    with pytest.raises(UsageError) as refusal:
        draw(picture, size=COLUMN)
    assert str(refusal.value) == (
        "3 panels do not fit into 3.3 x 2.6 inches. Hint: at this width they need a height of 4.5."
    )


def test_a_narrow_picture_sets_its_panels_one_under_the_other():
    figure = draw(curves(parse_specs("triplet"), gradient=True), size=(3.3, 6))
    assert {axes.get_subplotspec().get_gridspec().get_geometry() for axes in figure.axes[:3]} == {(3, 1)}


# --- texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["cost in $US and $EU", r"$\frac{1}{2}$", "_hidden", "50 % & more", r"\alpha^2"])
def test_a_title_stands_as_it_was_typed(title):
    shown = texts(drawn("mse", title=title))
    assert shown[title] is False


def test_control_and_direction_characters_of_a_title_are_escaped():
    shown = texts(drawn("mse", title="a\x1b[31m\u202eb\nc"))
    assert "a\\x1b[31m\\u202eb\\nc" in shown


def test_a_title_that_is_too_long_is_broken_and_cut():
    figure = drawn("mse", title="word " * 200, size=COLUMN)
    (title,) = (text for text in figure.texts if text.get_text().startswith("word"))
    assert title.get_text().count("\n") == 2
    assert title.get_text().endswith(" …")
    assert title.get_window_extent().width <= figure.bbox.width


def test_an_empty_title_is_left_out():
    assert "mse" not in texts(drawn("mse", title=""))


def test_a_file_name_with_an_underscore_and_dollars_is_in_the_legend():
    picture = with_data(curves(parse_specs("mae")), [-1, 0, 1], [3, 4], label="_a$b$\x1b.csv")
    assert texts(draw(picture))["_a$b$\\x1b.csv (n = 7)"] is False


@pytest.mark.parametrize("name", losses())
def test_every_formula_can_be_set(name):
    assert mathtext(losses()[name].formula) is not None


@pytest.mark.parametrize("name", book_first(losses()))
def test_every_formula_is_in_the_picture_of_a_column(name):
    figure = drawn(name, size=COLUMN)
    assert any(text.startswith("$") and parsed for text, parsed in texts(figure).items())


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (r"\tfrac12 e^2", r"$\frac{1}{2} e^2$"),
        (r"a \text{ if } b \le c", r"$a \mathrm{\ if\ } b \leq c$"),
        (r"\begin{cases} a & b \\ c & d \end{cases}", r"$a \ b;\quad c \ d$"),
        (r"\unknowncommand x", None),
    ],
)
def test_what_mathtext_does_not_know_is_said_otherwise(formula, expected):
    assert mathtext(formula) == expected


# --- lines, legends, axes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "specs", ["mae,mse,huber", "binary-cross-entropy", "contrastive", "focal:gamma=0,focal", "huber:delta=0.5,huber"]
)
@pytest.mark.parametrize("size", [COLUMN, (6, 4)])
def test_no_legend_covers_a_line(specs, size):
    figure = drawn(specs, size=size)
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()] + figure.legends
    assert len(legends) == 1
    box = legends[0].get_window_extent()
    for axes in figure.axes:
        for line in axes.lines:
            points = line.get_transform().transform(np.column_stack(line.get_data()))
            covered = (
                (points[:, 0] > box.x0)
                & (points[:, 0] < box.x1)
                & (points[:, 1] > box.y0)
                & (points[:, 1] < box.y1)
                & (points[:, 1] < axes.bbox.y1)
            )
            assert not covered.any()


def test_words_do_not_leave_the_picture():
    for specs in ("binary-cross-entropy,balanced-cross-entropy", "contrastive:margin=0.5,contrastive", "triplet"):
        figure = drawn(specs, size=COLUMN)
        figure.draw_without_rendering()
        for legend in figure.legends:
            box = legend.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= figure.bbox.width


def test_lines_differ_in_colour_and_in_dashes():
    (axes,) = drawn("mae,mse,huber").axes
    assert len({line.get_color() for line in axes.lines}) == 3
    assert len({str(line.get_linestyle()) + str(line._dash_pattern) for line in axes.lines}) == 3


def test_the_margin_is_a_vertical_line():
    (axes,) = drawn("contrastive:margin=2").axes
    assert [2, 2] in [list(line.get_xdata()) for line in axes.lines]


def test_nothing_infinite_is_drawn():
    (axes,) = drawn("binary-cross-entropy").axes
    assert np.isfinite(axes.get_ylim()).all()
    assert all(np.isfinite(line.get_ydata()).all() for line in axes.lines)
    assert max(line.get_ydata().max() for line in axes.lines) < 10


def test_a_logarithmic_axis_starts_at_what_is_positive():
    (axes,) = drawn("mse", log_y=True).axes
    assert axes.get_yscale() == "log"
    assert 0 < axes.get_ylim()[0] < 1e-3
    saved(drawn("mse", log_y=True), "png")


def test_a_logarithmic_axis_is_refused_for_a_map():
    with pytest.raises(UsageError) as refusal:
        drawn("triplet", log_y=True)
    assert str(refusal.value) == "--log-y does not suit a map. Hint: it is for losses that are drawn as curves."


def test_values_that_no_renderer_holds_are_drawn_without_a_word():
    figure = draw(curves(parse_specs("mse,mae"), range=(-1e100, 1e100)))
    assert saved(figure, "png")


# --- matplotlib's surroundings ----------------------------------------------------------------------------------------

PROGRAM = """
    import sys
    from losscli.registry import parse_specs
    from losscli.figures import curves, draw, save
    save(draw(curves(parse_specs("huber"))), "out.svg", "svg")
    assert "matplotlib.pyplot" not in sys.modules, "pyplot was imported"
    assert "tkinter" not in sys.modules, "a display was looked for"
"""


def picture_made_in(folder, **environment: str) -> bytes:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "MPLBACKEND", "MATPLOTLIBRC")}
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        cwd=folder,
        env=kept | {"MPLCONFIGDIR": str(folder)} | environment,
        capture_output=True,
        timeout=120,
    )
    assert (run.returncode, run.stderr.decode()) == (0, "")
    return (folder / "out.svg").read_bytes()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return picture_made_in(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"font.size: 30\nbackend: TkAgg\nnonsense: 1\n", id="other settings"),
        pytest.param(b"\xff\xfe\x00", id="not text", marks=pytest.mark.slow),
    ],
)
def test_a_matplotlibrc_in_the_current_folder_is_ignored(tmp_path, plain, content):
    (tmp_path / "matplotlibrc").write_bytes(content)
    (tmp_path / "settings").mkdir()
    assert picture_made_in(tmp_path, MPLCONFIGDIR=str(tmp_path / "settings")) == plain


@pytest.mark.slow
def test_a_notebooks_backend_that_is_not_installed_does_no_harm(tmp_path, plain):
    assert picture_made_in(tmp_path, MPLBACKEND="module://not_there.backend_inline") == plain


def test_a_users_own_settings_do_not_change_the_picture():
    import matplotlib

    before = saved(drawn("mse"), "svg")
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "none", "text.usetex": True}):
        assert saved(drawn("mse"), "svg") == before
        assert matplotlib.rcParams["font.size"] == 30


def test_a_style_changes_the_picture_but_never_asks_for_latex(tmp_path):
    style = tmp_path / "mine.mplstyle"
    style.write_text("lines.linewidth: 7\ntext.usetex: True\n")
    (axes,) = drawn("mse", style=str(style)).axes
    assert axes.lines[0].get_linewidth() == 7
    assert not axes.title.get_usetex()
    assert drawn("mse", style="dark_background").get_facecolor() == (0, 0, 0, 1)
