"""How losses of masks relate to each other, to the scores that they are made of, and to pooled masks."""

from __future__ import annotations

from fractions import Fraction

import numpy
import optax
import pytest
import sklearn.metrics
import torch
from torch import Tensor

import losscli
from losscli.registry import parse_spec

MASKS = ("dice", "jaccard", "tversky:alpha=0.3:beta=0.7", "focal-tversky:alpha=0.3:beta=0.7:gamma=1.3")


def of(spec: str, *roles: Tensor) -> Tensor:
    return parse_spec(spec)(*roles)


def close(expected: Tensor, actual: Tensor, relative: float = 4e-15) -> None:
    torch.testing.assert_close(actual, expected, rtol=relative, atol=0)


def soft_and_true(n: int = 40, positions: tuple[int, ...] = (6, 7)) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    pred = torch.rand(n, *positions, generator=generator, dtype=torch.float64)
    return pred, (torch.rand(n, *positions, generator=generator) < 0.3).double()


def hard_and_true(n: int = 40) -> tuple[Tensor, Tensor]:
    pred, target = soft_and_true(n)
    return (pred > 0.6).double(), target


def classes_and_true(n: int = 30, classes: int = 4, positions: int = 9) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    pred = torch.randn(n, classes, positions, generator=generator, dtype=torch.float64).softmax(1)
    return pred, torch.randint(classes, (n, positions), generator=generator).double()


# --- two masks --------------------------------------------------------------------------------------------------------


def test_jaccard_is_two_dice_over_one_and_dice() -> None:
    dice, jaccard = of("dice", *soft_and_true()), of("jaccard", *soft_and_true())
    close(jaccard, 2 * dice / (1 + dice))


def test_the_tversky_loss_is_dice_jaccard_and_with_gamma_its_power() -> None:
    masks = soft_and_true()
    assert torch.equal(of("tversky", *masks), of("dice", *masks))
    assert torch.equal(of("tversky:smooth=1", *masks), of("dice:smooth=2", *masks))
    assert torch.equal(of("tversky:alpha=1:beta=1", *masks), of("jaccard", *masks))
    shares = "alpha=0.3:beta=0.7"
    assert torch.equal(of(f"focal-tversky:{shares}:gamma=1", *masks), of(f"tversky:{shares}", *masks))
    close(of(f"focal-tversky:{shares}", *masks), of(f"tversky:{shares}", *masks) ** 0.75)


@pytest.mark.parametrize("weight", [0.5, 1.0, 2.0])
def test_of_hard_masks_the_losses_are_the_scores_of_classifiers(weight: float) -> None:
    square = weight**2
    tversky = parse_spec("tversky").bind(alpha=1 / (1 + square), beta=square / (1 + square))
    for pred, target in zip(*hard_and_true()):
        pair = (pred.reshape(1, -1), target.reshape(1, -1))
        flat = (target.reshape(-1).numpy(), pred.reshape(-1).numpy())
        scores = {
            "dice": sklearn.metrics.f1_score(*flat),
            "jaccard": sklearn.metrics.jaccard_score(*flat),
            "tversky:alpha=1:beta=0": sklearn.metrics.precision_score(*flat),
            "tversky:alpha=0:beta=1": sklearn.metrics.recall_score(*flat),
        }
        for spec, score in scores.items():
            assert of(spec, *pair).item() == pytest.approx(1 - score, abs=1e-15)
        assert tversky(*pair).item() == pytest.approx(1 - sklearn.metrics.fbeta_score(*flat, beta=weight), abs=1e-15)


@pytest.mark.parametrize("spec", MASKS)
def test_logits_are_the_probabilities_that_they_stand_for(spec: str) -> None:
    logits = torch.randn(20, 9, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    target = (logits > 0.3).double()
    close(of(spec, torch.sigmoid(logits), target), of(f"{spec}:input=logits", logits, target), 1e-13)


@pytest.mark.parametrize("spec", MASKS)
def test_two_empty_masks_agree_and_a_false_alarm_in_an_empty_image_is_a_whole_loss(spec: str) -> None:
    empty = torch.zeros(1, 5, dtype=torch.float64)
    alarm = torch.tensor([[1e-9, 0, 0, 0, 0]], dtype=torch.float64)
    assert of(spec, empty, empty).item() == 0
    assert of(spec, alarm, empty).item() == 1
    assert of(f"{spec}:smooth=1", alarm, empty).item() < 1e-8
    assert losscli.compute(f"{spec}:over=all", pred=empty, target=empty)[0].value == 0


def test_a_ratio_of_nothing_that_has_a_price_is_refused() -> None:
    with pytest.raises(losscli.LosscliError, match="the tversky:alpha=0 loss is not defined"):
        losscli.compute("tversky:alpha=0", pred=[[0.5, 0.0]], target=[[0.0, 0.0]])


# --- all masks together -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", MASKS)
def test_over_all_is_the_loss_of_all_masks_as_one(spec: str) -> None:
    pred, target = soft_and_true()
    whole = of(spec, pred.reshape(1, -1), target.reshape(1, -1)).item()
    record = losscli.compute(f"{spec}:over=all", pred=pred, target=target)[0]
    assert record.value == pytest.approx(whole, rel=1e-14)
    assert record.reduction == "pooled"
    assert record.std_error is None
    halves = of(f"{spec}:over=all", pred, target)
    assert torch.equal(halves, of(spec, pred, target))


def test_over_all_adds_the_smooth_once_and_is_rounded_once() -> None:
    pred, target = hard_and_true()
    hits, false_alarms, misses = (
        (a * b).sum().item() for a, b in ((pred, target), (pred, 1 - target), (1 - pred, target))
    )
    lost = Fraction(false_alarms + misses)
    expected = float(lost / (2 * Fraction(hits) + lost + 3))
    assert losscli.compute("dice:over=all:smooth=3", pred=pred, target=target)[0].value == expected


def test_over_all_the_weights_count_the_masks() -> None:
    pred, target = hard_and_true(3)
    twice = losscli.compute("dice:over=all", pred=pred[[0, 1, 1, 2]], target=target[[0, 1, 1, 2]])[0]
    table = {"pred": pred.numpy(), "target": target.numpy(), "w": numpy.array([1.0, 2.0, 1.0])}
    assert losscli.compute("dice:over=all", data=table, weight="w")[0].value == twice.value


def test_rows_of_one_position_are_one_mask_over_all() -> None:
    pred, target = hard_and_true(1)
    column = losscli.compute("dice:over=all", pred=pred.reshape(-1, 1), target=target.reshape(-1, 1))[0]
    assert column.value == pytest.approx(of("dice", pred, target).item(), rel=1e-15)


# --- several classes --------------------------------------------------------------------------------------------------


def test_class_indices_are_masks_of_zero_and_one() -> None:
    pred, target = classes_and_true()
    masks = torch.nn.functional.one_hot(target.long(), 4).movedim(-1, 1).double()
    assert torch.equal(of("generalized-dice", pred, target), of("generalized-dice", pred, masks))


def test_generalized_dice_of_classes_of_one_size_is_dice_of_all_their_positions() -> None:
    pred, _ = classes_and_true(positions=8)
    target = torch.arange(4).repeat(2).expand(len(pred), 8).double()
    masks = torch.nn.functional.one_hot(target.long(), 4).movedim(-1, 1).double()
    close(of("dice", pred, masks), of("generalized-dice", pred, target))


def test_generalized_dice_weighs_a_class_by_one_over_the_square_of_its_size() -> None:
    pred, target = classes_and_true()
    masks = torch.nn.functional.one_hot(target.long(), 4).movedim(-1, 1).double()
    present = (masks.sum(2) > 0).all(1)
    weight = 1 / masks.sum(2) ** 2
    overlap, size = (pred * masks).sum(2), pred.sum(2) + masks.sum(2)
    expected = 1 - 2 * (weight * overlap).sum(1) / (weight * size).sum(1)
    close(expected[present], of("generalized-dice", pred, target)[present], 1e-13)
    assert int(present.sum()) > 10


def test_the_lovasz_losses_of_hard_masks_are_the_jaccard_loss() -> None:
    pred, target = hard_and_true()
    close(2 * of("jaccard", pred, target), of("lovasz-hinge", 2 * pred - 1, target), 1e-14)
    classes, target = classes_and_true()
    hard = torch.nn.functional.one_hot(classes.argmax(1), 4).movedim(-1, 1).double()
    for k, loss in enumerate(of("lovasz-softmax", hard, target).tolist()):
        index = sklearn.metrics.jaccard_score(
            target[k].numpy(), classes[k].argmax(0).numpy(), labels=range(4), average=None, zero_division=1
        )
        assert loss == pytest.approx(1 - index.mean(), abs=1e-15)


def test_the_lovasz_losses_are_convex() -> None:
    a, target = soft_and_true()
    b = a.flip(0)
    scores = (6 * a - 3, 6 * b - 3)
    between = of("lovasz-hinge", (scores[0] + scores[1]) / 2, target)
    ends = (of("lovasz-hinge", scores[0], target) + of("lovasz-hinge", scores[1], target)) / 2
    assert bool((between <= ends + 1e-12).all())
    pred, labels = classes_and_true()
    between = of("lovasz-softmax", (pred + pred.flip(0)) / 2, labels)
    ends = (of("lovasz-softmax", pred, labels) + of("lovasz-softmax", pred.flip(0), labels)) / 2
    assert bool((between <= ends + 1e-12).all())


def test_signs_are_labels_of_the_lovasz_hinge_too() -> None:
    pred, target = soft_and_true()
    assert torch.equal(of("lovasz-hinge", 4 * pred - 2, target), of("lovasz-hinge", 4 * pred - 2, 2 * target - 1))


# --- boxes ------------------------------------------------------------------------------------------------------------


def boxes(n: int = 300, seed: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(2):
        corner = torch.randint(0, 12, (n, 2), generator=generator)
        size = torch.randint(1, 9, (n, 2), generator=generator)
        made.append(torch.cat((corner, corner + size), 1).double())
    return made[0], made[1]


def pixels(box: Tensor) -> Tensor:
    """The mask of a box with whole corners, shape (n, 21, 21)."""
    place = torch.arange(21)
    columns = (place >= box[:, 0:1]) & (place < box[:, 2:3])
    rows = (place >= box[:, 1:2]) & (place < box[:, 3:4])
    return (rows.unsqueeze(2) & columns.unsqueeze(1)).double()


def test_iou_is_jaccard_of_the_pixels_of_boxes() -> None:
    pred, target = boxes()
    close(of("jaccard", pixels(pred), pixels(target)), of("iou", pred, target), 1e-15)


def test_the_added_terms_are_never_negative() -> None:
    pair = boxes()
    iou, giou, diou, ciou = (of(name, *pair) for name in ("iou", "giou", "diou", "ciou"))
    assert bool((iou <= giou).all())
    assert bool((giou < iou + 1).all())
    assert bool((iou <= diou).all())
    assert bool((diou <= ciou).all())
    assert bool(((iou == 1) & (giou > 1)).any())


def test_giou_adds_the_empty_share_of_the_box_around_both() -> None:
    pred, target = boxes()
    low, high = torch.minimum(pred[:, :2], target[:, :2]), torch.maximum(pred[:, 2:], target[:, 2:])
    hull = (high - low).prod(1)
    union = torch.maximum(pixels(pred), pixels(target)).sum((1, 2))
    close(of("iou", pred, target) + (hull - union) / hull, of("giou", pred, target), 2e-15)


def test_boxes_of_one_shape_or_around_one_centre_need_no_further_term() -> None:
    pred, target = boxes()
    size = pred[:, 2:] - pred[:, :2]
    same = torch.cat((target[:, :2], target[:, :2] + size), 1)
    assert torch.equal(of("ciou", pred, same), of("diou", pred, same))
    inner = torch.cat((pred[:, :2] + size / 4, pred[:, 2:] - size / 4), 1)
    for name in ("giou", "diou", "ciou"):
        assert torch.equal(of(name, inner, pred), torch.full((len(pred),), 0.75, dtype=torch.float64))


@pytest.mark.parametrize("name", ["iou", "giou", "diou", "ciou"])
def test_boxes_may_be_exchanged_moved_and_enlarged(name: str) -> None:
    pred, target = boxes()
    expected = of(name, pred, target)
    close(expected, of(name, target, pred), 1e-15)
    assert torch.equal(expected, of(name, pred - 1024, target - 1024))
    for factor in (2.0**-500, 2.0**300, 2.0**900):
        assert torch.equal(expected, of(name, factor * pred, factor * target))
    assert of(name, pred, pred).tolist() == [0.0] * len(pred)


def test_far_boxes_have_a_slope_in_all_but_iou() -> None:
    target = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64)
    for name, slope in (("iou", False), ("giou", True), ("diou", True), ("ciou", True)):
        pred = (target + 50).requires_grad_()
        of(name, pred, target).sum().backward()
        assert bool((pred.grad != 0).any()) is slope


def test_a_box_whose_corners_are_exchanged_has_no_loss() -> None:
    pred = torch.tensor([[0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0]], dtype=torch.float64)
    for name in ("iou", "giou", "diou", "ciou"):
        assert torch.isnan(of(name, pred, pred)).tolist() == [False, True]


def test_a_file_with_such_a_box_is_refused_with_the_row_and_the_corner() -> None:
    right = [[0.0, 0.0, 1.0, 1.0]] * 3
    wrong = [*right[:2], [0.0, 3.0, 1.0, 2.0]]
    with pytest.raises(losscli.DataError) as caught:
        losscli.compute("giou", pred=wrong, target=right)
    assert str(caught.value) == (
        'data, row 3, column "pred": 3 is the y1 of a box whose y2 is 2, less than that. Hint: boxes are two corners, '
        "x1, y1, x2, y2; are these centres or sizes?"
    )
    points = [[0.5, 0.5, 0.5, 0.5]] * 3
    with pytest.raises(losscli.DataError, match="row 1: the iou loss is not defined"):
        losscli.compute("iou", pred=points, target=points)


@pytest.mark.parametrize("spec", MASKS)
def test_over_classes_is_the_mean_of_the_losses_of_each_class(spec: str) -> None:
    generator = torch.Generator().manual_seed(9)
    pred = torch.rand(4, 3, 2, 5, dtype=torch.float64, generator=generator)
    target = (torch.rand(4, 3, 2, 5, generator=generator) < 0.4).double()
    each = [of(spec, pred[:, c], target[:, c]) for c in range(3)]
    close(of(f"{spec}:over=classes", pred, target), sum(each) / 3)
    assert torch.equal(of(f"{spec}:over=classes", pred[:, :1], target[:, :1]), of(spec, pred[:, 0], target[:, 0]))


def test_the_dice_loss_of_optax_is_over_classes() -> None:
    generator = torch.Generator().manual_seed(10)
    logits = torch.randn(3, 4, 6, dtype=torch.float64, generator=generator)
    target = (torch.rand(3, 4, 6, generator=generator) < 0.5).double()
    theirs = optax.losses.dice_loss(logits.movedim(1, -1).numpy(), target.movedim(1, -1).numpy(), smooth=1.0)
    ours = of("dice:over=classes:smooth=2", torch.softmax(logits, 1), target)
    close(ours, torch.tensor(numpy.array(theirs), dtype=torch.float64), 1e-5)
