"""What every loss of the catalogue must be, whatever it computes. A new loss is covered by being registered."""

from __future__ import annotations

import doctest
import importlib
import math
import pkgutil
from collections.abc import Callable, Iterator
from fractions import Fraction

import matplotlib.mathtext
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import tests.cases as cases_of_families
from losscli.domain import Choice, Domain, Flag, Interval, Number, ParamRange, Vector, Whole, first_outside
from losscli.errors import DataError, UsageError
from losscli.figures.formula import mathtext
from losscli.loss import BoundLoss, Loss, Scope, Slice
from losscli.losses.references import REFERENCES
from losscli.registry import losses, parse_spec
from tests.oracle import ORACLE

# The attribute losscli.losses is the function that gives the catalogue.
CATALOGUE = importlib.import_module("losscli.losses")
LOSSES = list(losses().values())


def over(losses_: list[Loss]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("declared", losses_, ids=lambda declared: declared.name)


BY_NAME = over(LOSSES)
OF_ONE_DATUM = over([declared for declared in LOSSES if declared.scope is Scope.DATUM])
# More than the few columns that are added one by one.
CLASSES = 7
SIZES = {"C": CLASSES, "D": 9, "L": 6, "M": 6, "T": 8, "S": 3}
# Roles that a derivative is taken by: the others are labels, counts, orders or names.
CONTINUOUS = {
    *("pred", "distance", "first", "second", "anchor", "positive", "negative", "embedding"),
    *("var", "scale", "features", "matrix", "bias", "low", "high"),
}
# Losses whose roles constrain each other bring their own samples.
SAMPLES = {
    name: made
    for each in pkgutil.iter_modules(cases_of_families.__path__, "tests.cases.")
    for name, made in getattr(importlib.import_module(each.name), "SAMPLES", {}).items()
}
OUTPUTS = (2, 4)


# --- inputs and parameters, made from the declarations ----------------------------------------------------------------


def sample_values(range_: ParamRange) -> list[object]:
    """A few values of a parameter, its words and its edges."""
    if isinstance(range_, Choice):
        return list(range_.words)
    if isinstance(range_, Flag):
        return [False, True]
    if isinstance(range_, Vector):
        return [None, tuple(0.5 + k for k in range(CLASSES))]
    if isinstance(range_, Whole):
        return [None, 1] if range_.none else [1]
    interval = range_.interval
    inside = [value for value in (0.0, 0.3, 1.0, 1.7, 2.0) if value in interval]
    return inside + ([None] if range_.none else [])


def variants(declared: Loss) -> Iterator[BoundLoss]:
    """The loss with its defaults, and with each value of each parameter."""
    # Weights that are left to the data would make a datum depend on the batch.
    fitted = dict(declared.fit(Fraction(10), Fraction(3))) if declared.fit else {}
    yield declared.bind(**fitted)
    for param in declared.params:
        for value in sample_values(param.range):
            if value != param.default and not (value is None and param.name in fitted):
                yield declared.bind(**{**fitted, param.name: value})


def sample(domain: Domain, pattern: str, n: int, extra: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Values of a role, of a shape such as ``n C ...``, in float64."""
    shape: list[int] = []
    for axis in pattern.split():
        shape += [n] if axis == "n" else extra if axis == "..." else [int(axis) if axis.isdigit() else SIZES[axis]]
    if domain.codes:
        codes = torch.tensor(domain.codes[0], dtype=torch.float64)
        return codes[torch.randint(len(codes), shape, generator=generator)]
    if domain.classes and "C" not in pattern:
        return torch.randint(CLASSES, shape, generator=generator).double()
    if domain.name in ("identity", "class label"):
        return torch.randint(3, shape, generator=generator).double()
    normal = torch.randn(shape, generator=generator, dtype=torch.float64)
    # No probability is so small that a finite difference is coarse beside it.
    if domain.simplex or domain.classes:
        return normal.softmax(1)
    if domain.log_simplex:
        return normal.log_softmax(1)
    normal *= 2
    interval = domain.interval
    if math.isfinite(interval.low) and math.isfinite(interval.high):
        return interval.low + (interval.high - interval.low) * torch.sigmoid(normal)
    return interval.low + normal.abs() if math.isfinite(interval.low) else normal


def inputs(bound: BoundLoss, n: int, seed: int = 0) -> Iterator[dict[str, Tensor]]:
    """The roles of every form of a loss, in every shape that its domains allow."""
    for form in bound.loss.role_sets():
        if bound.name in SAMPLES:
            yield SAMPLES[bound.name](bound, form, n, torch.Generator().manual_seed(seed))
            continue
        domains = {role: bound.domain(role) for role in form}
        extras = [(), OUTPUTS] if any("..." in pattern for d in domains.values() for pattern in d.shapes) else [()]
        for extra in extras:
            for k in range(max(len(domain.shapes) for domain in domains.values())):
                generator = torch.Generator().manual_seed(seed)
                yield {
                    role: sample(domain, domain.shapes[min(k, len(domain.shapes) - 1)], n, extra, generator)
                    for role, domain in domains.items()
                }


def suits(bound: BoundLoss, roles: dict[str, Tensor]) -> bool:
    """An ignored class is a class index, so it does not go with a probability for each class."""
    if bound.params.get("ignore_index") is None:
        return True
    return roles["target"].ndim < max(values.ndim for values in roles.values())


def cases(declared: Loss, n: int, seed: int = 0) -> Iterator[tuple[BoundLoss, dict[str, Tensor]]]:
    for bound in variants(declared):
        for roles in inputs(bound, n, seed):
            if suits(bound, roles):
                yield bound, roles


def of_rows(roles: dict[str, Tensor], bound: BoundLoss, change: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """The roles with the data changed; what they share stays."""
    return {role: values if role in bound.loss.shared else change(values) for role, values in roles.items()}


def in_range(values: Tensor, declared: Loss) -> bool:
    """Whether losses lie in the range that the loss declares, such as ``[0, inf)``."""
    low, high = (float(end.strip("[]() ")) for end in declared.range.split(","))
    slack = 1e-12
    return bool(((values >= low - slack) & (values <= high + slack)).all())


def same_bits(expected: Tensor, actual: Tensor) -> bool:
    return expected.dtype == actual.dtype and torch.equal(expected, actual)


# --- the function -----------------------------------------------------------------------------------------------------


@BY_NAME
def test_samples_are_inside_their_domains(declared: Loss) -> None:
    for bound, roles in cases(declared, 20):
        for role, values in roles.items():
            # A probability for each class is no class index.
            soft = bool((values != values.floor()).any())
            classes = CLASSES if bound.domain(role).classes and not soft else None
            assert first_outside(values, bound.domain(role), classes=classes) is None


@BY_NAME
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_one_number_a_datum_of_the_dtype_of_the_input(declared: Loss, dtype: torch.dtype) -> None:
    for bound, roles in cases(declared, 7):
        values = bound(**{role: tensor.to(dtype) for role, tensor in roles.items()})
        assert values.shape == (7,)
        assert values.dtype == dtype
        assert bool(torch.isfinite(values).all())
        assert in_range(values, declared)


@BY_NAME
def test_no_data_give_no_losses(declared: Loss) -> None:
    for bound, roles in cases(declared, 0):
        assert bound(**roles).shape == (0,)


@OF_ONE_DATUM
def test_the_bits_of_a_datum_do_not_depend_on_batch_position_layout_or_order(declared: Loss) -> None:
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(1))
    for bound, roles in cases(declared, 1000):
        expected = bound(**roles)
        plain = bound.spec == next(variants(declared)).spec
        for n in (1, 2, 3, 7, 64) if plain else (1, 7):
            for start in (0, 5, 997 - n) if plain else (5,):
                part = of_rows(roles, bound, lambda values, a=start, b=start + n: values[a:b])
                assert same_bits(expected[start : start + n], bound(**part))
        layouts = {
            "column-major": lambda t: t.movedim(0, -1).contiguous().movedim(-1, 0),
            "strided": lambda t: t.repeat_interleave(3, 0)[::3],
            "offset": lambda t: torch.cat([t[:1], t])[1:],
        }
        for change in layouts.values():
            assert same_bits(expected, bound(**of_rows(roles, bound, change)))
        assert same_bits(expected[order], bound(**of_rows(roles, bound, lambda values: values[order])))


# The first of a pair is its anchor.
BY_ORDER = {"n-pairs"}


@over([declared for declared in LOSSES if declared.scope is Scope.ALL and declared.name not in BY_ORDER])
def test_the_cost_of_all_data_does_not_depend_on_their_order(declared: Loss) -> None:
    order = torch.randperm(40, generator=torch.Generator().manual_seed(1))
    for bound, roles in cases(declared, 40):
        costs = []
        for given_ in (roles, {role: values[order] for role, values in roles.items()}):
            values, weights = bound(**given_), bound.weights(given_)
            weights = torch.ones_like(values) if weights is None else weights
            assert weights.shape == values.shape
            costs.append(float((weights * torch.where(weights > 0, values, 0.0)).sum() / weights.sum()))
        assert costs[0] == pytest.approx(costs[1], rel=1e-12)


@BY_NAME
def test_the_bits_do_not_depend_on_the_number_of_threads(declared: Loss) -> None:
    before = torch.get_num_threads()
    try:
        for roles in inputs(declared.bind(), 20_000 if declared.scope is Scope.DATUM else 100):
            bound = declared.bind(**(dict(declared.fit(Fraction(10), Fraction(3))) if declared.fit else {}))
            results = []
            for threads in (1, 2, 4):
                torch.set_num_threads(threads)
                results.append(bound(**roles))
            assert same_bits(results[0], results[1])
            assert same_bits(results[0], results[2])
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("spec", ["mse", "cross-entropy", "triplet:distance=euclidean", "triplet:distance=cosine"])
def test_one_very_wide_datum_has_the_same_bits_alone_and_among_others(spec: str) -> None:
    """torch splits the sum of a single long row among threads."""
    bound = parse_spec(spec)
    generator = torch.Generator().manual_seed(2)
    wide = torch.randn(3, 3, 100_000, generator=generator, dtype=torch.float64)
    target = torch.tensor([5.0, 7.0, 9.0], dtype=torch.float64)
    roles = [wide[0], target] if spec == "cross-entropy" else list(wide[: len(bound.loss.roles)])
    expected = bound(*roles)
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for k in range(3):
                assert same_bits(expected[k : k + 1], bound(*(role[k : k + 1] for role in roles)))
    finally:
        torch.set_num_threads(before)


@BY_NAME
def test_shapes_that_would_broadcast_are_refused(declared: Loss) -> None:
    for bound, roles in cases(declared, 6):
        for role in roles.keys() - set(bound.loss.shared):
            for wrong in (roles[role][:1], roles[role].unsqueeze(-1), roles[role].unsqueeze(0), roles[role][..., None]):
                with pytest.raises(UsageError, match=f"^{bound.name}: the shapes do not fit: "):
                    bound(**{**roles, role: wrong})


def test_the_message_about_shapes_says_what_was_found_and_what_fits() -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec("cross-entropy")(torch.zeros(6, 3), torch.zeros(5))
    assert str(caught.value) == (
        "cross-entropy: the shapes do not fit: pred has (6, 3), target has (5). Hint: it takes pred (n, C, ...), "
        "target (n, ...) or (n, C, ...); none is broadcast."
    )


def test_vectors_come_before_what_is_computed_from_them() -> None:
    assert losses()["contrastive"].role_sets() == [("first", "second", "similar"), ("distance", "similar")]


@BY_NAME
def test_missing_or_unknown_roles_are_refused(declared: Loss) -> None:
    roles = next(inputs(declared.bind(), 3))
    first = next(iter(roles))
    for wrong in ({}, {k: v for k, v in roles.items() if k != first}, {**roles, "truth": roles[first]}):
        with pytest.raises(UsageError, match=f"^{declared.name} takes "):
            declared.bind()(**wrong)


@OF_ONE_DATUM
def test_a_missing_value_gives_nan_for_that_datum_only(declared: Loss) -> None:
    for bound, roles in cases(declared, 5):
        for role in roles.keys() - set(bound.loss.shared):
            # Of several values, only the one that the loss looks at matters; so the whole datum is missing.
            missing = {name: values.clone() for name, values in roles.items()}
            missing[role][2] = math.nan
            values = bound(**missing)
            if bound.weights(roles) is not None and role == "target":
                continue
            assert torch.isnan(values).tolist() == [False, False, True, False, False]


@BY_NAME
def test_the_gradient_is_that_of_finite_differences(declared: Loss) -> None:
    for bound, roles in cases(declared, 3, seed=4):
        free = [role for role in roles if role in CONTINUOUS]

        def values(*tensors: Tensor, bound: BoundLoss = bound, roles: dict = roles, free: list = free) -> Tensor:
            return bound(**{**roles, **dict(zip(free, tensors))})

        given_ = tuple(roles[role].clone().requires_grad_() for role in free)
        if not values(*given_).requires_grad:
            # Counts of mistakes are constant wherever they have a derivative.
            continue
        assert torch.autograd.gradcheck(values, given_, eps=1e-6, atol=1e-6, rtol=1e-5, fast_mode=True)


@BY_NAME
def test_the_weights_are_one_non_negative_number_a_datum(declared: Loss) -> None:
    for bound, roles in cases(declared, 6):
        weights = bound.weights(roles) if set(roles) == set(bound.loss.roles) else None
        if weights is not None:
            assert weights.shape == (6,)
            assert bool((weights >= 0).all())


# --- parameters and specs ---------------------------------------------------------------------------------------------


def values_of(range_: ParamRange) -> st.SearchStrategy[object]:
    if isinstance(range_, Choice):
        return st.sampled_from(range_.words)
    if isinstance(range_, Flag):
        return st.booleans()
    interval: Interval = range_.interval
    bounds = {
        "min_value": interval.low if math.isfinite(interval.low) else None,
        "max_value": interval.high if math.isfinite(interval.high) else None,
    }
    if isinstance(range_, Whole):
        low, high = max(interval.low, -(2.0**53)), min(interval.high, 2.0**53)
        made: st.SearchStrategy[object] = st.integers(math.ceil(low), math.floor(high))
    else:
        made = st.floats(allow_nan=False, allow_infinity=False, **bounds).filter(lambda value: value in interval)
    if isinstance(range_, Vector):
        made = st.lists(made, min_size=1, max_size=4).map(tuple)
    return made | st.none() if range_.none else made


@BY_NAME
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_spec_reads_back_as_the_same_loss(declared: Loss, data: st.DataObject) -> None:
    chosen = data.draw(st.fixed_dictionaries({param.name: values_of(param.range) for param in declared.params}))
    bound = declared.bind(**chosen)
    again = parse_spec(bound.spec)
    assert again.params == bound.params
    assert again.spec == bound.spec
    assert again.loss is declared
    assert not set(bound.spec) & set(" '\"$;&|<>()*?[]#~\\!,")


@BY_NAME
def test_the_canonical_spec_leaves_out_defaults(declared: Loss) -> None:
    assert declared.bind().spec == declared.name
    assert declared.bind(**{param.name: param.default for param in declared.params}).spec == declared.name
    for alias in declared.aliases:
        assert parse_spec(alias).spec == declared.name


@BY_NAME
def test_values_outside_a_parameters_range_are_refused(declared: Loss) -> None:
    for param in declared.params:
        wrong: list[object] = ["", "nan?", math.nan, [math.nan], object()]
        if not getattr(param.range, "infinite", False):
            wrong.append(math.inf)
        if isinstance(param.range, (Number, Vector)):
            below, above = param.range.interval.low - 1, param.range.interval.high + 1
            wrong += [value for value in (below, above) if math.isfinite(value)]
            if param.range.interval.open_low:
                wrong.append(param.range.interval.low)
        for value in wrong:
            with pytest.raises(UsageError, match=rf"^{declared.name}: --{param.option}: "):
                declared.bind(**{param.name: value})


def test_the_message_about_a_parameter_names_its_range() -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec("huber:delta=0")
    assert str(caught.value) == "huber: --delta: 0 is not in (0, inf)."


def test_class_weights_must_be_one_a_class() -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec("cross-entropy:class-weight=1/2/3")(torch.zeros(2, 4), torch.zeros(2))
    assert str(caught.value) == "--class-weight has 3 numbers, but there are 4 classes."


def test_an_ignored_class_does_not_go_with_soft_targets() -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec("cross-entropy:ignore-index=0")(torch.zeros(2, 2), torch.full((2, 2), 0.5))
    assert str(caught.value) == "--ignore-index suits class indices, not a probability for each class."


@pytest.mark.parametrize(("label", "total"), [(0, 0), (1, 5)])
def test_balanced_weights_need_both_classes(label: int, total: int) -> None:
    with pytest.raises(DataError) as caught:
        losses()["balanced-cross-entropy"].fit(Fraction(5), Fraction(total))
    assert str(caught.value) == (
        f"every label is {label}: there is nothing to balance. Hint: give --pos-weight and --neg-weight, or use "
        "binary-cross-entropy."
    )


def test_a_zero_vector_has_no_cosine() -> None:
    domain = parse_spec("triplet:distance=cosine").domain("positive")
    values = torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    outside = first_outside(values, domain)
    assert outside is not None
    assert (outside.datum, outside.rule) == (1, "throughout: a zero vector has no direction")
    assert first_outside(values, parse_spec("triplet").domain("positive")) is None


# --- the declaration --------------------------------------------------------------------------------------------------


@BY_NAME
def test_the_declaration_says_everything(declared: Loss) -> None:
    texts = {name: getattr(declared, name) for name in ("summary", "description", "unit", "range", "convention")}
    texts |= {name: getattr(declared, name) for name in ("formula", "gradient", "family")}
    texts |= {f"traits.{name}": text for name, text in vars(declared.traits).items()}
    texts |= {f"--{param.option}": param.help for param in declared.params}
    texts |= {f"role {role}": declared.role_help[role] for form in declared.role_sets() for role in form}
    assert [name for name, text in texts.items() if len(text.strip()) < 3 and name != "unit"] == []
    prose = [text for name, text in texts.items() if name.startswith(("traits", "role", "--", "summary"))]
    assert [text for text in prose if not text.endswith(".")] == []
    curve = declared.bind().curve
    assert isinstance(curve, Slice) or curve in ("error", "probability", "distance", "distances")
    assert declared.cites
    assert declared.same_as or declared.differs


@BY_NAME
def test_the_formulas_can_be_drawn(declared: Loss) -> None:
    parser = matplotlib.mathtext.MathTextParser("path")
    for text in (declared.formula, declared.gradient):
        parser.parse(f"${text}$")
        assert mathtext(text) is not None


@BY_NAME
def test_the_oracle_knows_the_loss(declared: Loss) -> None:
    assert declared.name in ORACLE


def test_the_oracle_knows_no_other_loss() -> None:
    assert set(ORACLE) == set(losses())


def test_a_reference_that_is_missing_fails_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(REFERENCES, "huber1964")
    with pytest.raises(TypeError) as caught:
        importlib.reload(CATALOGUE)
    assert str(caught.value) == "huber cites 'huber1964', which losses/references.py does not have"


def test_every_reference_is_cited() -> None:
    assert set(REFERENCES) == {key for declared in LOSSES for key in declared.cites}


MODULES = [module.name for module in pkgutil.walk_packages(CATALOGUE.__path__, "losscli.losses.")]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_are_true(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@BY_NAME
def test_the_docstring_has_an_example(declared: Loss) -> None:
    assert doctest.DocTestFinder().find(declared.function, declared.name)[0].examples
