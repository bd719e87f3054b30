"""The examples of the book on basic loss functions, and the numbers of ``docs/errata.md``.

The expected values are worked out here in fractions and decimals, by the textbook formulas, without torch or our code.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal, getcontext
from fractions import Fraction
from pathlib import Path

import pytest
import torch

import losscli

getcontext().prec = 50
ERRATA = Path(__file__).parent.parent / "docs" / "errata.md"

TRUE = [Fraction(3), Fraction(-1, 2), Fraction(2), Fraction(7)]
PREDICTED = [Fraction(5, 2), Fraction(0), Fraction(2), Fraction(8)]
ERRORS = [p - t for p, t in zip(PREDICTED, TRUE)]


def tensor(values: Sequence[object]) -> torch.Tensor:
    rows = [[float(v) for v in row] if isinstance(row, (list, tuple)) else float(row) for row in values]
    return torch.tensor(rows, dtype=torch.float64)


def mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def minus_ln(text: str) -> Decimal:
    return -Decimal(text).ln()


def four(value: Decimal) -> str:
    """To four decimals, as Python prints a rounded float."""
    return str(float(round(value, 4)))


# --- worked out without our code --------------------------------------------------------------------------------------


def huber(e: Fraction, delta: Fraction) -> Fraction:
    return e * e / 2 if abs(e) <= delta else delta * (abs(e) - delta / 2)


def smooth_l1(e: Fraction, beta: Fraction) -> Fraction:
    """Girshick 2015: half e^2 over beta near zero, |e| - beta/2 beyond."""
    return e * e / (2 * beta) if abs(e) < beta else abs(e) - beta / 2


MSE = mean([e * e for e in ERRORS])
MAE = mean([abs(e) for e in ERRORS])
ABSOLUTE_MEAN = abs(mean(ERRORS))

PROBABILITIES = (("0.7", "0.2", "0.1"), ("0.1", "0.8", "0.1"), ("0.2", "0.2", "0.6"))
RIGHT_CE = sum((minus_ln(PROBABILITIES[k][k]) for k in range(3)), Decimal(0)) / 3
# Column c is multiplied by the label of datum c, which is c.
WRONG_CE = sum((c * minus_ln(row[c]) for row in PROBABILITIES for c in range(3)), Decimal(0)) / 3

RIGHT_BCE = (minus_ln("0.9") + minus_ln("0.8")) / 2
WRONG_BCE = (minus_ln("0.9") - minus_ln("0.8")) / 2

# Labels 0 and 1 with the probabilities .2 and .6; weights 2 for label 1 and 1/2 for label 0.
BY_POSITION = (2 * minus_ln("0.8"), minus_ln("0.6") / 2)
BY_CLASS = (minus_ln("0.8") / 2, 2 * minus_ln("0.6"))

HALF = Fraction(1, 2)
PAIRS = ((HALF, True), (HALF, False), (Fraction(2), False))
CONTRASTIVE = [(d * d if similar else max(Fraction(0), 1 - d) ** 2) / 2 for d, similar in PAIRS]

SQUARED = max(Fraction(0), Fraction(1) ** 2 - Fraction(3, 2) ** 2 + 1)
PLAIN = max(Fraction(0), Fraction(1) - Fraction(3, 2) + 1)


def floats(values: Sequence[Fraction]) -> str:
    return str([float(v) for v in values])


# What each ``print`` of the page says, in order.
SAID = [
    str(float(ABSOLUTE_MEAN)),
    str(float(MAE)),
    floats([huber(Fraction(e), Fraction(2)) for e in (1, 4)]),
    floats([huber(Fraction(e), Fraction(2)) for e in (1, 4)]),
    floats([smooth_l1(Fraction(e), Fraction(2)) for e in (1, 4)]),
    floats([huber(Fraction(e), Fraction(1)) for e in (1, 4)]),
    floats([smooth_l1(Fraction(e), Fraction(1)) for e in (1, 4)]),
    " ".join([str(float(Fraction(3, 2) ** 2 / 2)), str(float(Fraction(3, 2) * (Fraction(3, 2) - Fraction(3, 4))))]),
    str(float(huber(Fraction(3, 2), Fraction(3, 2)))),
    four(WRONG_CE),
    four(RIGHT_CE),
    four(RIGHT_CE),
    four(WRONG_BCE),
    four(RIGHT_BCE),
    four(RIGHT_BCE),
    "[" + ", ".join(map(four, BY_POSITION)) + "]",
    "[" + ", ".join(map(four, BY_CLASS)) + "]",
    floats(CONTRASTIVE),
    floats([d for d, _ in PAIRS]),
    floats([2 * value for value in CONTRASTIVE]),
    "3.0",
    str(float(SQUARED)),
    str(float(PLAIN)),
    str(float(PLAIN)),
]


# --- the book's examples ----------------------------------------------------------------------------------------------


def test_the_squared_error_of_the_example_is_three_eighths() -> None:
    values = losscli.loss("mse")(tensor(PREDICTED), tensor(TRUE))
    assert Fraction(3, 8) == MSE
    assert [Fraction(v) for v in values.tolist()] == [e * e for e in ERRORS]
    assert Fraction(values.mean().item()) == MSE


def test_the_absolute_error_of_the_example_is_one_half_and_not_the_mean_error() -> None:
    values = losscli.loss("mae")(tensor(PREDICTED), tensor(TRUE))
    assert (Fraction(1, 2), Fraction(1, 4)) == (MAE, ABSOLUTE_MEAN)
    assert Fraction(values.mean().item()) == MAE


@pytest.mark.parametrize("delta", [Fraction(1, 2), Fraction(1), Fraction(2)])
def test_huber_is_smooth_l1_times_delta(delta: Fraction) -> None:
    errors = [Fraction(k, 4) for k in range(-20, 21)]
    expected = [huber(e, delta) for e in errors]
    assert expected == [delta * smooth_l1(e, delta) for e in errors]
    assert (expected == [smooth_l1(e, delta) for e in errors]) == (delta == 1)
    values = losscli.loss("huber", delta=float(delta))(tensor(errors), torch.zeros(41, dtype=torch.float64))
    assert [Fraction(v) for v in values.tolist()] == expected


@pytest.mark.parametrize("delta", [Fraction(1, 4), Fraction(1), Fraction(3, 2), Fraction(10)])
def test_both_branches_of_huber_agree_where_the_error_is_delta(delta: Fraction) -> None:
    assert delta * delta / 2 == delta * (delta - delta / 2)
    for e in (delta, -delta):
        value = losscli.loss("huber", delta=float(delta))(tensor([e]), tensor([0]))
        assert Fraction(value.item()) == delta * delta / 2


def test_cross_entropy_of_indices_is_that_of_one_hot_labels() -> None:
    values = losscli.loss("cross-entropy", input="probs")(tensor(PROBABILITIES), torch.tensor([0, 1, 2]))
    assert values.tolist() == pytest.approx([float(minus_ln(PROBABILITIES[k][k])) for k in range(3)], rel=1e-15)
    assert values.mean().item() == pytest.approx(float(RIGHT_CE), rel=1e-15)
    assert WRONG_CE > 10 * RIGHT_CE


def test_the_missing_bracket_makes_the_cross_entropy_negative() -> None:
    assert WRONG_BCE < 0 < RIGHT_BCE
    values = losscli.loss("binary-cross-entropy")(tensor(["0.9", "0.2"]), tensor([1, 0]))
    assert values.mean().item() == pytest.approx(float(RIGHT_BCE), rel=1e-15)


def test_class_weights_follow_the_labels_and_not_the_position() -> None:
    pred, target = tensor(["0.2", "0.6"]), tensor([0, 1])
    by_class = losscli.loss("balanced-cross-entropy", pos_weight=2.0, neg_weight=0.5)
    assert by_class(pred, target).tolist() == pytest.approx([float(v) for v in BY_CLASS], rel=1e-15)
    weight = torch.tensor([2.0, 0.5], dtype=torch.float64)
    theirs = torch.nn.functional.binary_cross_entropy(pred, target, weight=weight, reduction="none")
    assert theirs.tolist() == pytest.approx([float(v) for v in BY_POSITION], rel=1e-15)
    with pytest.raises(RuntimeError):
        torch.nn.functional.binary_cross_entropy(pred[[0, 1, 1]], target[[0, 1, 1]], weight=weight)


def test_automatic_weights_of_one_positive_in_four_are_two_and_two_thirds() -> None:
    assert losscli.losses()["balanced-cross-entropy"].fit(Fraction(4), Fraction(1)) == {
        "pos_weight": 2.0,
        "neg_weight": 2 / 3,
    }


def test_the_contrastive_loss_has_the_factor_one_half_and_compares_the_members_of_each_pair() -> None:
    first = tensor([(0, 0), (3, 0), (0, 0)])
    second = tensor([(HALF, 0), (3, HALF), (0, 2)])
    similar = tensor([int(s) for _, s in PAIRS])
    values = losscli.loss("contrastive")(first=first, second=second, similar=similar)
    assert [Fraction(v) for v in values.tolist()] == CONTRASTIVE == [Fraction(1, 8), Fraction(1, 8), Fraction(0)]


def test_triplets_of_squared_and_of_plain_distances_differ() -> None:
    anchor, positive, negative = tensor([(0, 0)]), tensor([(1, 0)]), tensor([(0, Fraction(3, 2))])
    assert (SQUARED, PLAIN) == (0, HALF)
    assert losscli.loss("triplet")(anchor, positive, negative).item() == SQUARED
    assert losscli.loss("triplet", distance="euclidean")(anchor, positive, negative).item() == PLAIN


# --- the page ---------------------------------------------------------------------------------------------------------

PAGE = ERRATA.read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)


def test_the_page_says_what_was_worked_out_here() -> None:
    assert re.findall(r"^print\(.*\)  # (.*)$", PAGE, re.M) == SAID
    command, answer = re.search(r"^```console\n\$ (.*)\n(.*)\n```$", PAGE, re.M).groups()
    assert command == "losscli compute mse sample_data/book.csv -f plain -q"
    assert Decimal(answer) == Decimal(MSE.numerator) / MSE.denominator


def test_the_page_prints_what_it_says() -> None:
    code = "\n".join(BLOCKS)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == SAID


def test_the_sample_file_holds_the_books_example() -> None:
    lines = (ERRATA.parent.parent / "sample_data" / "book.csv").read_text().split()
    pairs = [tuple(map(Fraction, line.split(","))) for line in lines[1:]]
    assert pairs == list(zip(TRUE, PREDICTED))


def test_the_numbers_of_the_text_are_right() -> None:
    """Those that stand in sentences, each worked out once more."""
    text = re.sub(r"^```.*?^```$", "", PAGE, flags=re.M | re.S)
    found = set(re.findall(r"(?<![\w.])\d+\.\d+", text))
    squared_errors = {str(float(e * e)) for e in ERRORS} & {"0.25"}
    gain = Fraction(3, 2) ** 2 - 1
    inputs = {"0.5", "2.5", "0.9", "0.2", "1.5"}
    torchs_epsilon = {"0.000001"}
    assert found == squared_errors | {str(float(gain)), str(float(Fraction(3, 2) - 1))} | inputs | torchs_epsilon
    assert Decimal(torch.nn.TripletMarginLoss().eps).quantize(Decimal("1e-9")) == Decimal("0.000001")
