"""A picture in a terminal."""

from __future__ import annotations

from itertools import pairwise

import pytest

from losscli.figures import Line, Panel, Picture, curves, preview
from losscli.registry import losses, parse_specs


@pytest.mark.slow
@pytest.mark.parametrize("name", losses())
@pytest.mark.parametrize("gradient", [False, True])
def test_every_loss_has_a_preview_that_fits(name, gradient):
    picture = curves(parse_specs(name), gradient=gradient)
    for width in (30, 80):
        text = preview(picture, width, 12)
        assert max(map(len, text.split("\n"))) <= width
        assert all(character.isprintable() for character in text.replace("\n", ""))


def test_a_preview_shows_the_shape_and_the_ends_of_the_axes():
    title, y_label, *body, axis, scale = preview(curves(parse_specs("mae"), range=(-2, 2)), 40, 6).split("\n")
    assert (title, y_label) == ("mae", "loss (target)")
    assert (body[0][0], body[-1][0]) == ("2", "0")
    assert axis == "  └" + "─" * 37
    assert scale.split() == ["-2", "error", "e", "=", "prediction", "−", "target", "2"]
    # The absolute error is a V: from row to row its two arms come closer, and they meet at the bottom in the middle.
    arms = [[column for column, character in enumerate(row[3:]) if character != " "] for row in body]
    assert all(upper[0] < lower[0] and upper[-1] > lower[-1] for upper, lower in pairwise(arms))
    assert arms[0][0] == 0
    assert 18 in arms[-1]


def test_the_lines_of_a_preview_have_keys():
    text = preview(curves(parse_specs("mae,mse")), 60, 10)
    assert "1 mae   2 mse" in text.split("\n")[-1]
    body = text.split("\n")[2:12]
    assert sum(row.count("1") for row in body) >= 1
    assert sum(row.split("│")[1].count("2") for row in body) == 1


def test_a_map_is_shaded_from_blank_where_the_loss_is_zero_to_full():
    text = preview(curves(parse_specs("triplet")), 60, 10)
    rows = [line.split("│")[1] for line in text.split("\n") if "│" in line]
    assert rows[0].startswith(" " * 20)  # far negative, near positive
    assert rows[-1].endswith("█")  # near negative, far positive
    assert rows[-1].startswith("░")


def test_control_characters_of_labels_are_escaped():
    import numpy

    line = Line("\x1b[31mred", numpy.array([0.0, 1.0]), numpy.array([0.0, 1.0]))
    picture = Picture(((Panel("x\x07", "y", (0, 1), (0, 1), lines=(line,)),),), "\x1b]0;title\x07")
    text = preview(picture, 60, 6)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\\x1b[31mred" in text
