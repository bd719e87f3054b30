"""How losses relate to each other and to those of other libraries."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import pytest
import sklearn._loss
import sklearn.metrics
import sklearn.utils.class_weight
import torch
from torch import Tensor

import losscli
from losscli.loss import BoundLoss, Loss
from losscli.registry import losses, parse_spec
from tests.test_losses_contract import inputs


@pytest.fixture
def data() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(11)
    z = torch.randn(200, generator=generator, dtype=torch.float64) * 4
    return {
        "z": z,
        "p": 1 / (1 + torch.exp(-z)),
        "y": torch.randint(2, (200,), generator=generator).double(),
        "soft": torch.rand(200, generator=generator, dtype=torch.float64),
        "rows": torch.randn(200, 5, generator=generator, dtype=torch.float64) * 4,
        "classes": torch.randint(5, (200,), generator=generator).double(),
        "a": torch.randn(200, 6, generator=generator, dtype=torch.float64),
        "b": torch.randn(200, 6, generator=generator, dtype=torch.float64),
        "c": torch.randn(200, 6, generator=generator, dtype=torch.float64),
    }


def close(expected: Tensor, actual: Tensor, ulps: float = 8) -> None:
    torch.testing.assert_close(actual, expected, rtol=ulps * 2**-53, atol=0)


def of(spec: str, *roles: Tensor, **named: Tensor) -> Tensor:
    return parse_spec(spec)(*roles, **named)


@pytest.mark.parametrize("kind", ["probs", "logits"])
def test_focal_without_focus_is_binary_cross_entropy(data: dict[str, Tensor], kind: str) -> None:
    pred = data["p" if kind == "probs" else "z"]
    for target in (data["y"], data["soft"]):
        expected = of(f"binary-cross-entropy:input={kind}", pred, target)
        close(expected, of(f"focal:gamma=0:alpha=none:input={kind}", pred, target))
        close(expected / 2, of(f"focal:gamma=0:alpha=0.5:input={kind}", pred, target))


def test_balanced_with_equal_weights_is_binary_cross_entropy(data: dict[str, Tensor]) -> None:
    expected = of("binary-cross-entropy", data["p"], data["soft"])
    close(expected, of("balanced-cross-entropy:pos-weight=1:neg-weight=1", data["p"], data["soft"]))


def test_balanced_weights_give_each_class_half_of_the_cost(data: dict[str, Tensor]) -> None:
    half = torch.full_like(data["y"], 0.5)
    values = of("balanced-cross-entropy", half, data["y"])
    positive = data["y"] == 1
    expected = 100 * math.log(2)
    assert values[positive].sum().item() == pytest.approx(expected, rel=1e-14)
    assert values[~positive].sum().item() == pytest.approx(expected, rel=1e-14)


def test_a_balanced_weight_that_is_not_given_is_the_automatic_one(data: dict[str, Tensor]) -> None:
    positives = data["y"].sum().item()
    auto = f"pos-weight={100 / positives!r}", f"neg-weight={100 / (200 - positives)!r}"
    for given in ("pos-weight=3", "neg-weight=3"):
        both = given, next(weight for weight in auto if weight[:3] != given[:3])
        expected = of(f"balanced-cross-entropy:{':'.join(both)}", data["p"], data["y"])
        assert torch.equal(of(f"balanced-cross-entropy:{given}", data["p"], data["y"]), expected)


def test_cross_entropy_of_two_classes_is_binary_cross_entropy_of_their_difference(data: dict[str, Tensor]) -> None:
    two = torch.stack([torch.zeros_like(data["z"]), data["z"]], 1)
    close(of("binary-cross-entropy:input=logits", data["z"], data["y"]), of("cross-entropy", two, data["y"]))
    for gamma in ("0", "1", "2.5"):
        expected = of(f"focal:gamma={gamma}:alpha=none:input=logits", data["z"], data["y"])
        close(expected, of(f"categorical-focal:gamma={gamma}", two, data["y"]), ulps=24)
    expected = of("focal:alpha=0.3:input=logits", data["z"], data["y"])
    close(expected, of("categorical-focal:alpha=0.7/0.3", two, data["y"]), ulps=24)


def test_categorical_focal_without_focus_is_cross_entropy(data: dict[str, Tensor]) -> None:
    close(
        of("cross-entropy", data["rows"], data["classes"]),
        of("categorical-focal:gamma=0", data["rows"], data["classes"]),
    )


def test_logits_probabilities_and_log_probabilities_agree(data: dict[str, Tensor]) -> None:
    logs = data["rows"].log_softmax(1)
    for name in ("cross-entropy", "categorical-focal", "cross-entropy:label-smoothing=0.2"):
        expected = of(name, data["rows"], data["classes"])
        for kind, pred in (("probs", logs.exp()), ("log-probs", logs)):
            torch.testing.assert_close(of(f"{name}:input={kind}", pred, data["classes"]), expected, rtol=1e-9, atol=0)


def test_one_hot_targets_are_class_indices(data: dict[str, Tensor]) -> None:
    hot = torch.nn.functional.one_hot(data["classes"].long(), 5).double()
    weights = "class-weight=0.5/1/2/3/0.1"
    for spec in ("cross-entropy", "cross-entropy:label-smoothing=0.1", f"cross-entropy:label-smoothing=0.1:{weights}"):
        close(of(spec, data["rows"], data["classes"]), of(spec, data["rows"], hot))
    bound = parse_spec(f"cross-entropy:{weights}")
    index = bound.weights({"pred": data["rows"], "target": data["classes"]})
    assert index is not None
    close(index, bound.weights({"pred": data["rows"], "target": hot}))


def test_label_smoothing_is_a_mixture_with_the_even_distribution(data: dict[str, Tensor]) -> None:
    even = torch.full((200, 5), 0.2, dtype=torch.float64)
    mixture = 0.9 * of("cross-entropy", data["rows"], data["classes"]) + 0.1 * of("cross-entropy", data["rows"], even)
    close(mixture, of("cross-entropy:label-smoothing=0.1", data["rows"], data["classes"]))
    plain, flipped = (of("binary-cross-entropy", data["p"], target) for target in (data["y"], 1 - data["y"]))
    close(0.95 * plain + 0.05 * flipped, of("binary-cross-entropy:label-smoothing=0.1", data["p"], data["y"]))


def test_huber_lies_between_the_square_and_the_straight_line(data: dict[str, Tensor]) -> None:
    pred, target = data["z"], data["soft"]
    assert torch.equal(of("huber:delta=1e+6", pred, target), of("mse", pred, target) / 2)
    tiny = of("huber:delta=1e-12", pred, target) / 1e-12
    torch.testing.assert_close(tiny, of("mae", pred, target), rtol=1e-9, atol=0)
    at = torch.tensor([2.0, 2.0 + 2**-51, 2.0 - 2**-52], dtype=torch.float64)
    close(2 * (at - 1), of("huber:delta=2", at, torch.zeros_like(at)), ulps=2)


def test_contrastive_is_symmetric_and_the_same_from_distances(data: dict[str, Tensor]) -> None:
    expected = of("contrastive", first=data["a"], second=data["b"], similar=data["y"])
    assert torch.equal(expected, of("contrastive", first=data["b"], second=data["a"], similar=data["y"]))
    assert torch.equal(expected, of("contrastive", first=data["a"], second=data["b"], similar=2 * data["y"] - 1))
    distance = ((data["a"] - data["b"]) ** 2).sum(1).sqrt()
    close(expected, of("contrastive", distance, data["y"]), ulps=40)


def test_swap_never_lowers_a_triplet(data: dict[str, Tensor]) -> None:
    for kind in ("squared-euclidean", "euclidean", "cosine"):
        plain = of(f"triplet:distance={kind}", data["a"], data["b"], data["c"])
        swapped = of(f"triplet:distance={kind}:swap=true", data["a"], data["b"], data["c"])
        assert bool((swapped >= plain).all())
        assert bool((swapped > plain).any())


@pytest.mark.parametrize(
    "spec",
    ["mse", "mae", "huber", "binary-cross-entropy", "balanced-cross-entropy:pos-weight=3:neg-weight=1", "focal"],
)
def test_a_datum_with_several_outputs_has_the_mean_over_them(data: dict[str, Tensor], spec: str) -> None:
    each = of(spec, data["p"], data["soft"]).reshape(10, 20)
    close(each.mean(1), of(spec, data["p"].reshape(10, 4, 5), data["soft"].reshape(10, 4, 5)))


def test_positions_of_a_datum_are_averaged_and_the_cost_is_that_of_all_positions(data: dict[str, Tensor]) -> None:
    generator = torch.Generator().manual_seed(3)
    pred = torch.randn(6, 4, 3, 5, generator=generator, dtype=torch.float64)
    target = torch.randint(4, (6, 3, 5), generator=generator).double()
    target[0] = 2
    bound = parse_spec("cross-entropy:class-weight=1/2/3/4:ignore-index=2")
    values, weights = bound(pred, target), bound.weights({"pred": pred, "target": target})
    assert weights is not None
    assert (values[0].item(), weights[0].item()) == (0.0, 0.0)
    flat = pred.movedim(1, -1).reshape(-1, 4), target.reshape(-1)
    each, of_each = bound(*flat).reshape(6, 15), bound.weights({"pred": flat[0], "target": flat[1]})
    assert of_each is not None
    of_each = of_each.reshape(6, 15)
    close(of_each.sum(1), weights)
    close((each * of_each).sum(1)[1:] / of_each.sum(1)[1:], values[1:])
    peer = torch.nn.functional.cross_entropy(
        pred, target.long(), weight=torch.tensor([1.0, 2, 3, 4], dtype=torch.float64), ignore_index=2
    )
    close(peer, (values * weights).sum() / weights.sum(), ulps=40)


def test_weighted_smoothed_cost_is_torchs(data: dict[str, Tensor]) -> None:
    bound = parse_spec("cross-entropy:class-weight=1/2/3/4/0.5:label-smoothing=0.2:ignore-index=1")
    weights = bound.weights({"pred": data["rows"], "target": data["classes"]})
    assert weights is not None
    expected = torch.nn.functional.cross_entropy(
        data["rows"],
        data["classes"].long(),
        weight=torch.tensor([1, 2, 3, 4, 0.5], dtype=torch.float64),
        label_smoothing=0.2,
        ignore_index=1,
    )
    close(expected, (bound(data["rows"], data["classes"]) * weights).sum() / weights.sum(), ulps=40)


# --- other libraries --------------------------------------------------------------------------------------------------

INSTALLED = [
    (declared, library, code)
    for declared in losses().values()
    for library, code in declared.same_as.items()
    # Calls for other parameters than the defaults are compared under the libraries' own names.
    if library in ("torch", "sklearn") and not re.search(r"\), for \w+=", code)
]


@pytest.mark.parametrize(
    ("declared", "code"), [pytest.param(d, code, id=f"{d.name}-{library}") for d, library, code in INSTALLED]
)
def test_what_is_said_to_be_the_same_in_another_library_is(data: dict[str, Tensor], declared: Loss, code: str) -> None:
    """The calls that ``show`` prints are run. They give each datum's loss, or the cost."""
    roles: dict[str, Tensor] = {"pred": data["z"], "target": data["soft"]}
    if declared.name in ("binary-cross-entropy", "balanced-cross-entropy", "focal"):
        roles = {"pred": data["p"], "target": data["y"]}
    elif declared.name in ("cross-entropy", "categorical-focal"):
        roles = {"pred": data["rows"], "target": data["classes"].long()}
    elif declared.name not in ("mse", "mae", "huber"):
        roles = next(made for made in inputs(declared.bind(), 40) if set(made) == set(declared.roles))
        whole = {role for role in roles if role.endswith("length")}
        if declared.family == "classes" or declared.name == "ctc":
            whole.add("target")
        elif declared.name in ("brier", "negative-binomial-nll"):
            roles["target"] = roles["target"].round()
        roles = {role: values.long() if role in whole else values for role, values in roles.items()}
    fitted = declared.fit(Fraction(200), Fraction(int(data["y"].sum()))) if declared.fit else {}
    bound = declared.bind(**fitted)
    # What a call is for, such as ``, for one output``, stands after it.
    call = re.sub(r"\), (?:for|with|where) .*", ")", code)
    theirs = eval(call, {"torch": torch, "sklearn": sklearn, "math": math, **roles, **bound.params})
    expected = torch.as_tensor(theirs, dtype=torch.float64)
    ours = bound.per_datum(bound(**roles)) if expected.ndim else torch.tensor(cost(bound, roles), dtype=torch.float64)
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


def cost(bound: BoundLoss, roles: dict[str, Tensor]) -> float:
    """The cost of all data, by the loss's own statistic."""
    return losscli.compute(bound, **roles).value


def test_the_differences_that_are_described_are_there() -> None:
    """The numbers in ``differs`` that can be checked with what is installed, and ours beside them."""
    functional = torch.nn.functional
    one = torch.tensor([1.0], dtype=torch.float64)
    assert functional.smooth_l1_loss(4 * one, 0 * one, beta=2.0).item() == 3
    assert of("huber:delta=2", 4 * one, 0 * one).item() == 6
    assert of("mse", 3 * one, 0 * one).item() == 9
    assert functional.binary_cross_entropy(1e-50 * one, one).item() == 100
    assert of("binary-cross-entropy", 1e-50 * one, one).item() == pytest.approx(115.13, abs=0.005)
    assert sklearn.metrics.log_loss([1.0], [0.0], labels=[0, 1]) == pytest.approx(36.04, abs=0.005)
    assert -math.log(1e-7) == pytest.approx(16.12, abs=0.005)
    assert functional.binary_cross_entropy_with_logits(-40 * one, 0 * one).item() == 0
    assert of("binary-cross-entropy:input=logits", -40 * one, 0 * one).item() == pytest.approx(4.2e-18, rel=0.02)
    confident = torch.tensor([[30.0, 0.0]])
    assert functional.cross_entropy(confident, torch.tensor([0])).item() == 0
    assert of("cross-entropy", confident, torch.tensor([0])).item() == pytest.approx(9.4e-14, rel=0.01)
    anchor, positive, negative = (torch.tensor([[x, 0.0]], dtype=torch.float64) for x in (0.0, 1.0, 2.0))
    assert functional.triplet_margin_loss(anchor, positive, negative, margin=2.0).item() == pytest.approx(1, abs=1e-5)
    assert of("triplet:margin=2:distance=euclidean", anchor, positive, negative).item() == 1
    assert of("triplet:margin=2", anchor, positive, negative).item() == 0
    assert of("contrastive", 2 * one, one).item() == 2
