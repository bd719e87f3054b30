"""The numbers of pictures, against values worked out by hand from the definitions of the losses."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from losscli.errors import UsageError
from losscli.figures import Line, Panel, curves, with_data
from losscli.figures.picture import SHARED
from losscli.figures.sampling import grid, limits, sample, slope
from losscli.loss import Scope
from losscli.registry import losses, parse_specs
from tests.pace import book_first


def panel_of(specs: str, **options: object) -> Panel:
    return curves(parse_specs(specs), **options).panels[0]


def value_at(line: Line, x: float) -> float:
    """The value at a point that the line has, or between the two that are next to it."""
    inside = ~np.isnan(line.y)
    return float(np.interp(x, line.x[inside], line.y[inside]))


@pytest.mark.parametrize("name", book_first(losses()))
@pytest.mark.parametrize("gradient", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_loss_has_a_picture(name, gradient):
    picture = curves(parse_specs(name), gradient=gradient)
    assert any(panel.is_slope for panel in picture.panels) == gradient
    for panel in picture.panels:
        assert panel.x_limits[0] < panel.x_limits[1]
        assert np.isfinite(panel.y_limits).all()
        if panel.heat is None:
            assert panel.lines
            # A loss of all data is called for one position at a time, so for fewer of them.
            enough = 70 if losses()[name].scope is Scope.ALL else 100
            assert all(np.isfinite(line.y).sum() > enough for line in panel.lines)


# --- the axes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "error", "expected"),
    [("mse", -2.5, 6.25), ("mae", -2.5, 2.5), ("huber:delta=2", 3.0, 4.0), ("huber:delta=2", -1.0, 0.5)],
)
def test_a_regression_loss_is_drawn_against_the_error(spec, error, expected):
    panel = panel_of(spec)
    assert panel.x_label == "error e = prediction − target"
    (line,) = panel.lines
    assert value_at(line, error) == pytest.approx(expected, rel=1e-12)


def test_with_a_true_value_the_axis_is_the_prediction():
    panel = panel_of("mse", at=(100,), range=(-10000, 10000))
    assert panel.x_label == "prediction (true value 100)"
    assert panel.x_limits == (-10000, 10000)
    (line,) = panel.lines
    assert line.y[line.x == 100].tolist() == [0]
    assert line.y[0] == 10100**2
    assert line.y[-1] == 9900**2


def test_each_true_value_has_its_own_line():
    low, high = panel_of("mae", at=(50, 100)).lines
    assert (low.label, high.label) == ("true value 50", "true value 100")
    assert low.y[low.x == 50].tolist() == high.y[high.x == 100].tolist() == [0]


def test_a_binary_loss_has_a_line_for_each_label():
    panel = panel_of("binary-cross-entropy")
    one, zero = panel.lines
    assert (one.label, zero.label) == ("label 1", "label 0")
    assert one.y[one.x == 0.5].tolist() == pytest.approx([math.log(2)])
    assert value_at(one, 0.1) == pytest.approx(math.log(10), rel=1e-4)
    assert value_at(zero, 0.9) == pytest.approx(math.log(10), rel=1e-4)
    assert one.y[-1] == zero.y[0] == 0


def test_focal_weights_its_two_labels_by_alpha():
    one, zero = panel_of("focal").lines
    assert one.y[one.x == 0.5].tolist() == pytest.approx([0.25 * 0.5**2 * math.log(2)])
    assert zero.y[zero.x == 0.5].tolist() == pytest.approx([0.75 * 0.5**2 * math.log(2)])


def test_with_logits_the_axis_is_the_logit():
    panel = panel_of("binary-cross-entropy:input=logits")
    assert panel.x_label == "predicted logit z of label 1"
    one, _ = panel.lines
    assert one.y[one.x == 0].tolist() == pytest.approx([math.log(2)])
    assert one.y[0] == pytest.approx(6 + math.log1p(math.exp(-6)))


@pytest.mark.parametrize("input", ["logits", "probs", "log-probs"])
def test_a_loss_over_classes_is_drawn_against_the_probability_of_the_true_class(input):
    (line,) = panel_of(f"cross-entropy:input={input}").lines
    assert line.y[line.x == 0.5].tolist() == pytest.approx([math.log(2)])
    assert line.y[-1] == 0
    assert math.isinf(line.y[0])


def test_class_weights_give_a_line_for_each_class():
    panel = panel_of("cross-entropy:class-weight=0.5/2/3")
    assert panel.y_label == "loss × class weight (nats)"
    assert [line.label for line in panel.lines] == ["true class 0", "true class 1", "true class 2"]
    for line, weight in zip(panel.lines, (0.5, 2, 3)):
        assert line.y[line.x == 0.5].tolist() == pytest.approx([weight * math.log(2)])


def test_weights_left_to_the_data_are_those_of_one_positive_in_ten_and_the_title_says_them():
    picture = curves(parse_specs("balanced-cross-entropy"))
    assert picture.title == "balanced-cross-entropy (pos-weight = 5, neg-weight = 0.5556)"
    one, zero = picture.panels[0].lines
    assert one.y[one.x == 0.5].tolist() == pytest.approx([5 * math.log(2)])
    assert zero.y[zero.x == 0.5].tolist() == pytest.approx([5 / 9 * math.log(2)])


def test_a_contrastive_loss_is_drawn_against_the_distance_with_its_margin():
    panel = panel_of("contrastive:margin=2")
    similar, dissimilar = panel.lines
    assert (similar.label, dissimilar.label) == ("similar pair", "dissimilar pair")
    assert [(margin.x, margin.label) for margin in panel.margins] == [(2, "margin = 2")]
    assert value_at(similar, 3) == pytest.approx(4.5)
    assert dissimilar.y[0] == 2
    assert (dissimilar.y[dissimilar.x >= 2] == 0).all()
    assert (dissimilar.y[dissimilar.x < 2] > 0).all()


# --- points -----------------------------------------------------------------------------------------------------------


def test_kinks_are_points_of_the_curve():
    (line,) = panel_of("huber:delta=0.37").lines
    assert {-0.37, 0.0, 0.37} <= set(line.x.tolist())


@given(low=st.floats(-1e6, 1e6), width=st.floats(1e-3, 1e6), notable=st.lists(st.floats(-1e6, 1e6), max_size=5))
@settings(max_examples=50)
def test_a_grid_increases_from_end_to_end_through_every_notable_point_inside(low, width, notable):
    high = low + width
    x = grid(low, high, 50, notable)
    assert (x[0], x[-1]) == (low, high)
    assert (np.diff(x) > 0).all()
    assert {value for value in notable if low < value < high} <= set(x.tolist())


@pytest.mark.parametrize("place", [0.0, 0.1, 1 / 3, -0.77, 1e-9])
def test_a_jump_breaks_the_line_where_it_is(place):
    x, y = sample(lambda x: torch.where(x < place, -1.0, 1.0), grid(-1, 1, 101, []))
    (hole,) = np.flatnonzero(np.isnan(y))
    assert (y[hole - 1], y[hole + 1]) == (-1, 1)
    assert x[hole - 1] <= place <= x[hole + 1]
    assert x[hole + 1] - x[hole - 1] < 1e-15
    assert (np.diff(x) >= 0).all()


def test_a_steep_curve_without_a_jump_is_not_broken():
    _, y = sample(lambda x: torch.tanh(1e4 * x), grid(-1, 1, 101, []))
    assert not np.isnan(y).any()


def test_the_slope_of_the_absolute_error_is_broken_at_zero_not_drawn_as_a_vertical_line():
    (line,) = curves(parse_specs("mae"), gradient=True).panels[1].lines
    drawn = np.diff(line.y)
    assert np.isnan(line.y).sum() == 2  # one break on each side of zero, where autograd says 0
    assert (drawn[~np.isnan(drawn)] == 0).all()


def test_the_slope_of_huber_has_kinks_but_no_breaks():
    (line,) = curves(parse_specs("huber:delta=2"), gradient=True).panels[1].lines
    assert not np.isnan(line.y).any()
    assert line.y == pytest.approx(np.clip(line.x, -2, 2))


def test_the_slope_is_that_of_the_probability_also_where_the_loss_takes_logits():
    (line,) = curves(parse_specs("cross-entropy"), gradient=True).panels[1].lines
    inner = (line.x > 0.1) & (line.x < 0.9)
    assert line.y[inner] == pytest.approx(-1 / line.x[inner])


def test_a_function_without_a_gradient_has_the_slope_zero():
    assert slope(lambda x: (x > 0).double().detach())(torch.tensor([-1.0, 1.0])).tolist() == [0, 0]


def test_infinite_values_leave_the_panel_and_do_not_stretch_it():
    panel = panel_of("binary-cross-entropy")
    assert math.isinf(panel.lines[0].y[0])
    # At the hundredth part of the axis the loss is ln 100 = 4.6.
    assert panel.y_limits == (0, pytest.approx(math.log(100), rel=1e-3))


def test_a_curve_without_a_singularity_is_shown_whole():
    assert panel_of("mse", range=(-3, 3)).y_limits == (0, 9)


def test_limits_of_a_constant_leave_room_around_it():
    x = np.linspace(0, 1, 5)
    assert limits([Line("", x, np.zeros(5))], 0, 1, cut=0.01) == (-1, 1)
    assert limits([Line("", x, np.full(5, np.inf))], 0, 1, cut=0.01) == (0, 1)


def test_the_range_follows_the_parameters():
    assert panel_of("huber").x_limits == (-3, 3)
    assert panel_of("huber:delta=10").x_limits == (-20, 20)
    assert panel_of("huber,huber:delta=5").x_limits == (-10, 10)


# --- sweeps -----------------------------------------------------------------------------------------------------------


def test_a_sweep_is_labelled_by_the_parameter_that_differs():
    picture = curves(parse_specs("huber:delta=0.5,huber,huber:delta=2"))
    assert picture.title == "huber"
    assert [line.label for line in picture.panels[0].lines] == ["δ = 0.5", "δ = 1", "δ = 2"]
    assert [line.series for line in picture.panels[0].lines] == [0, 1, 2]


def test_several_losses_are_labelled_by_name():
    picture = curves(parse_specs("mae,mse,huber"))
    assert (picture.title, picture.formula) == ("mae, mse, huber", None)
    assert [line.label for line in picture.panels[0].lines] == ["mae", "mse", "huber (δ = 1)"]
    assert picture.panels[0].y_label == "loss"


def test_a_sweep_of_a_binary_loss_has_a_panel_for_each_label_on_one_scale():
    picture = curves(parse_specs("focal:gamma=0,focal:gamma=1,focal:gamma=5"), gradient=True)
    (one, zero), (slope_of_one, slope_of_zero) = picture.rows
    assert [panel.heading for panel in picture.panels] == ["label 1", "label 0"] * 2
    assert [line.label for line in one.lines] == ["γ = 0", "γ = 1", "γ = 5"]
    assert one.y_limits == zero.y_limits
    assert slope_of_one.is_slope
    assert slope_of_zero.is_slope
    assert picture.title == "focal (α = 0.25)"


def test_what_a_parameter_does_not_change_is_drawn_once():
    panel = panel_of("contrastive:margin=0.5,contrastive,contrastive:margin=2")
    assert [(line.label, line.series) for line in panel.lines] == [
        ("similar pair", SHARED),
        ("dissimilar pair, margin = 0.5", 0),
        ("dissimilar pair, margin = 1", 1),
        ("dissimilar pair, margin = 2", 2),
    ]
    assert [(margin.x, margin.label) for margin in panel.margins] == [(0.5, "margin"), (1, "margin"), (2, "margin")]


# --- maps -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        ("squared-euclidean", lambda positive, negative: positive**2 - negative**2 + 0.5),
        ("euclidean", lambda positive, negative: positive - negative + 0.5),
        ("cosine", lambda positive, negative: positive - negative + 0.5),
    ],
)
def test_a_triplet_is_a_map_of_its_two_distances(distance, expected):
    heat = panel_of(f"triplet:margin=0.5:distance={distance}", range=(0, 1.5)).heat
    across, up = np.meshgrid(heat.x, heat.y)
    assert heat.values == pytest.approx(np.maximum(0, expected(across, up)), abs=1e-12)
    assert heat.limits == (0, pytest.approx(expected(1.5, 0)))


@pytest.mark.parametrize(
    ("distance", "border"),
    [
        ("squared-euclidean", lambda positive: np.sqrt(positive**2 + 0.5)),
        ("euclidean", lambda positive: positive + 0.5),
        ("cosine", lambda positive: positive + 0.5),
    ],
)
def test_the_border_of_a_map_is_where_the_loss_becomes_zero(distance, border):
    heat = panel_of(f"triplet:margin=0.5:distance={distance}", range=(0, 1.5)).heat
    expected = border(heat.x)
    inside = expected < 1.499
    assert heat.boundary.y[inside] == pytest.approx(expected[inside], abs=1e-9)
    assert np.isnan(heat.boundary.y[expected > 1.501]).all()


def test_a_map_in_which_the_loss_is_never_zero_has_no_border():
    assert panel_of("triplet:margin=9", range=(0, 1)).heat.boundary is None


def test_the_slopes_of_a_map_are_by_its_two_distances():
    _, by_positive, by_negative = curves(parse_specs("triplet:distance=euclidean"), gradient=True).panels
    assert by_positive.heat.label == "derivative d loss / d d(a,\xa0p)"
    assert set(by_positive.heat.values[1:-1, 1:-1].ravel().round(9)) == {0, 1}
    assert set(by_negative.heat.values[1:-1, 1:-1].ravel().round(9)) == {0, -1}


def test_maps_of_a_sweep_share_one_scale():
    picture = curves(parse_specs("triplet:margin=0.5,triplet:margin=2"))
    assert [panel.heading for panel in picture.panels] == ["margin = 0.5", "margin = 2"]
    assert len({panel.heat.limits for panel in picture.panels}) == 1


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("specs", "options", "message"),
    [
        (
            "mae,focal,mse",
            {},
            "mae and focal cannot share a picture: mae is drawn against the error, focal against the predicted "
            "probability. Hint: draw one picture for each of: mae, mse; focal.",
        ),
        (
            "focal,focal:input=logits",
            {},
            "focal and focal:input=logits cannot share a picture: focal is drawn against the predicted probability p "
            "of label 1, focal:input=logits against the predicted logit z of label 1. Hint: draw one picture for each "
            "of: focal; focal:input=logits.",
        ),
        (
            "focal",
            {"at": (1,)},
            "--at does not suit focal, which is drawn against the predicted probability. Hint: --at gives the true "
            "value of a loss that is drawn against the error.",
        ),
        (
            "triplet",
            {"at": (1,)},
            "--at does not suit triplet, which is drawn against the two distances of a triplet. Hint: --at gives the "
            "true value of a loss that is drawn against the error.",
        ),
        ("mae", {"at": (math.nan,)}, "--at nan is not a real number."),
        ("mae", {"range": (2, 1)}, "--range 2,1 must be two increasing numbers."),
        ("mae", {"range": (0, math.nan)}, "--range 0,nan must be two increasing numbers."),
        ("mae", {"range": (0, math.inf)}, "--range 0,inf is too wide or too narrow to be drawn."),
        ("mae", {"range": (1, 1 + 1e-12)}, "--range 1,1.000000000001 is too wide or too narrow to be drawn."),
        ("focal", {"range": (0, 2)}, "--range 0,2 leaves [0, 1], where focal is defined."),
        ("contrastive", {"range": (-1, 2)}, "--range -1,2 leaves [0, inf), where contrastive is defined."),
        ("triplet:distance=cosine", {"range": (0, 3)}, "--range 0,3 leaves [0, 2], where triplet is defined."),
        (
            "triplet,triplet:distance=cosine",
            {},
            "triplet losses of cosine and other distances cannot share a picture. Hint: draw one picture for each.",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(specs, options, message):
    with pytest.raises(UsageError) as refusal:
        curves(parse_specs(specs), **options)
    assert str(refusal.value) == message


def test_too_many_losses_are_refused():
    thirteen = ",".join(f"huber:delta={delta}" for delta in range(2, 15))
    with pytest.raises(UsageError, match="a picture holds at most 12 losses, not 13"):
        curves(parse_specs(thirteen))


# --- the user's own data ----------------------------------------------------------------------------------------------


def test_data_lie_under_the_losses_but_not_under_their_slopes():
    picture = with_data(curves(parse_specs("mae"), gradient=True), [-1, 0, 1], [3, 1200], label="preds.csv")
    loss, its_slope = picture.panels
    assert loss.histogram.label == "preds.csv (n = 1,203)"
    assert its_slope.histogram is None


def test_data_outside_of_the_axis_are_counted():
    picture = with_data(curves(parse_specs("mae"), range=(-1, 1)), [-9, -1, 1, 9], [7, 20, 3])
    assert picture.panels[0].histogram.label == "your data (n = 30, 10 outside)"


def test_data_under_a_map_are_refused():
    with pytest.raises(UsageError, match="data can be laid under curves, not under a map"):
        with_data(curves(parse_specs("triplet")), [0, 1], [1])
