"""The Python API gives the records of the command line from anything that holds numbers, and fails with its words."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

import losscli as api
from losscli.errors import DataError, LosscliError, ResourceError, UsageError
from tests import oracle
from tests.conftest import Outcome

Run = Callable[..., Outcome]

# scikit-learn's example of mean_squared_error, whose result is .375.
PRED, TARGET = [2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0]
FRAME = pd.DataFrame({"y_true": TARGET, "y_pred": PRED, "g": ["a", "a", "b", "b"], "w": [1, 2, 3, 4]})


# --- the catalogue ----------------------------------------------------------------------------------------------------


def test_the_catalogue_maps_names_to_losses() -> None:
    catalogue = api.losses()
    assert {"mse", "mae", "huber", "binary-cross-entropy", "cross-entropy", "triplet"} <= catalogue.keys()
    assert all(loss.name == name for name, loss in catalogue.items())
    assert [param.option for param in catalogue["huber"].params] == ["delta"]


@pytest.mark.parametrize(
    ("bound", "spec"),
    [
        (lambda: api.loss("huber"), "huber"),
        (lambda: api.loss("huber", delta=2.0), "huber:delta=2"),
        (lambda: api.loss("huber:delta=2"), "huber:delta=2"),
        (lambda: api.loss("huber:delta=2", delta=3), "huber:delta=3"),
        (lambda: api.loss("L2"), "mse"),
        (lambda: api.loss("cross_entropy", class_weight=(1, 2)), "cross-entropy:class-weight=1/2"),
    ],
)
def test_a_loss_is_named_by_a_spec_or_by_keywords(bound: Callable[[], Any], spec: str) -> None:
    assert bound().spec == spec
    assert repr(bound()) == f"<loss {spec}>"
    assert api.loss(spec).spec == spec


# --- what may hold the data -------------------------------------------------------------------------------------------

HOLDERS: dict[str, Callable[[list[float]], object]] = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "float32": lambda values: np.array(values, dtype=np.float32),
    "float16": lambda values: np.array(values, dtype=np.float16),
    "tensor": torch.tensor,
    "half tensor": lambda values: torch.tensor(values, dtype=torch.bfloat16),
    "tensor with gradient": lambda values: torch.tensor(values, requires_grad=True),
    "strided tensor": lambda values: torch.tensor(values).repeat_interleave(2)[::2],
    "Series": pd.Series,
    "Series with an index": lambda values: pd.Series(values, index=[7, 7, 0, -1]),
    "nullable Series": lambda values: pd.Series(values, dtype="Float64"),
    "Arrow": pa.array,
    "Arrow in chunks": lambda values: pa.chunked_array([values[:1], values[1:]]),
}


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_anything_that_holds_numbers_is_read(hold: Callable[[list[float]], object]) -> None:
    found = api.compute("mse", pred=hold(PRED), target=hold(TARGET))
    assert (found.value, found.n, found.file) == (0.375, 4, None)


def test_whole_numbers_and_truth_values_are_numbers() -> None:
    assert api.compute("mae", pred=np.array([1, 2, 5]), target=torch.tensor([1, 4, 4])).value == 1.0
    assert api.compute("bce", pred=[0.5, 0.5], target=[True, False]).value == math.log(2)


@pytest.mark.parametrize(
    "given",
    [
        {"data": FRAME},
        {"data": FRAME, "pred": "y_pred", "target": "y_true"},
        {"data": {"y_true": TARGET, "y_pred": np.array(PRED)}},
        {"data": {"a": PRED, "b": TARGET}, "pred": "a", "target": "b"},
        {"data": pa.table({"y_true": TARGET, "y_pred": PRED})},
        {"data": FRAME.rename(columns={"y_true": "yy"}), "target": "#1"},
        {"data": "book.csv"},
        {"data": Path("book.parquet")},
        {"pred": "book.csv::y_pred", "target": "book.csv::y_true"},
        {"pred": "p.npy", "target": Path("t.npy")},
        {"data": "predictions.csv", "truth": "answers.csv", "id": "id"},
    ],
    ids=["frame", "columns", "dict", "dict-columns", "arrow", "number", "path", "Path", "::", "npy", "truth"],
)
def test_the_data_may_be_in_memory_or_in_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, object]
) -> None:
    monkeypatch.chdir(tmp_path)
    FRAME.to_csv("book.csv", index=False)
    FRAME.to_parquet("book.parquet")
    np.save("p.npy", PRED)
    np.save("t.npy", TARGET)
    FRAME[["y_pred"]].assign(id=[4, 5, 6, 7]).to_csv("predictions.csv", index=False)
    FRAME[["y_true"]].assign(id=[4, 5, 6, 7])[::-1].to_csv("answers.csv", index=False)
    assert api.compute("mse", **given).value == 0.375


# --- what may be asked ------------------------------------------------------------------------------------------------


def test_losses_may_be_mixed_in_a_list() -> None:
    found = api.compute([api.loss("huber", delta=2.0), "mae,mse"], pred=PRED, target=TARGET)
    # By hand: errors .5, .5, 0 and 1.
    assert [(record.loss, record.value) for record in found] == [
        ("huber:delta=2", 0.1875),
        ("mae", 0.5),
        ("mse", 0.375),
    ]


def test_groups_weights_and_conditions() -> None:
    groups = api.compute("mse", data=FRAME, by="g", weight="w")
    assert [(record.group, record.value) for record in groups] == [({"g": "a"}, 0.25), ({"g": "b"}, 4 / 7)]
    assert api.compute("mae", data=FRAME, where="y_pred > 1").value == 0.5
    assert api.compute("mse", data=FRAME, by=["g"], reduction="sum").records[1].value == 1.0


def test_weights_may_be_an_array_beside_arrays() -> None:
    found = api.compute("mse", pred=PRED, target=TARGET, weight=torch.tensor([1, 2, 3, 4]))
    assert (found.value, found.weight_sum) == ((0.25 + 0.5 + 4) / 10, 10.0)
    assert found.signature.split("|")[2] == "w:weight"


def test_the_loss_of_each_row_is_a_frame() -> None:
    found = api.compute("mse,mae", data=FRAME, reduction="none", keep=["w"], by="g")
    expected = pd.DataFrame(
        {
            "row": [1, 2, 3, 4],
            "w": [1, 2, 3, 4],
            "g": ["a", "a", "b", "b"],
            "mse": [0.25, 0.25, 0.0, 1.0],
            "mae": [0.5, 0.5, 0.0, 1.0],
        }
    )
    assert found.columns.tolist() == expected.columns.tolist()
    assert found.to_dict("list") == expected.to_dict("list")


def test_missing_values_are_refused_skipped_or_handed_on() -> None:
    data = {"pred": [1.0, None, 3.0], "target": [2.0, 2.0, 5.0]}
    with pytest.raises(DataError) as caught:
        api.compute("mae", data=data)
    assert str(caught.value) == (
        'data, row 2, column "pred": a value is missing. Hint: --nan skip leaves such rows out and counts them; '
        "--nan propagate lets the result be nan."
    )
    skipped = api.compute("mae", data=data, nan="skip")
    assert (skipped.value, skipped.n, skipped.n_skipped) == (1.5, 2, 1)
    assert math.isnan(api.compute("mae", data=data, nan="propagate").value)
    rows = api.compute("mae", data=data, nan="skip", reduction="none")
    assert rows.to_dict("list") == {"row": [1, 3], "mae": [1.0, 2.0]}


def test_infinite_losses_may_be_allowed_or_clipped() -> None:
    data = {"pred": [0.0, 0.5], "target": [1, 1]}
    assert api.compute("bce", data=data, allow_inf=True).status == "infinite"
    assert api.compute("bce", data=data, clip=0.25).value == pytest.approx(math.log(8) / 2, rel=1e-15)


# --- results ----------------------------------------------------------------------------------------------------------


def test_a_single_record_is_the_result() -> None:
    found = api.compute("mse", pred=PRED, target=TARGET)
    assert (found.value, found.n, found.status) == (0.375, 4, "ok")
    assert found.ci == (found.ci_low, found.ci_high)
    assert found.ci[0] < 0.375 < found.ci[1]
    assert repr(found) == "mse pred: 0.375 (n=4)"
    assert api.compute("mse", pred=PRED, target=TARGET, level=None).ci == (None, None)


@pytest.mark.parametrize("name", ["value", "ci"])
def test_of_several_records_one_must_be_taken(name: str) -> None:
    found = api.compute("mse,mae", pred=PRED, target=TARGET)
    with pytest.raises(AttributeError) as caught:
        getattr(found, name)
    assert str(caught.value) == f"there are 2 records: take one, as in result[0].{name}"
    assert found[1].value == 0.5
    assert found[1].ci == (found[1].ci_low, found[1].ci_high)
    assert len(found) == 2


def test_an_attribute_that_no_result_has_is_named() -> None:
    with pytest.raises(AttributeError) as caught:
        _ = api.compute("mse", pred=PRED, target=TARGET).loss_value
    assert str(caught.value) == "a result has no attribute 'loss_value'"


def test_a_result_is_a_frame_with_the_groups_as_columns() -> None:
    frame = api.compute("mse,mae", data=FRAME, by="g").to_pandas()
    assert frame[["loss", "g", "n", "value"]].to_numpy().tolist() == [
        ["mse", "a", 2, 0.25],
        ["mse", "b", 2, 0.5],
        ["mae", "a", 2, 0.5],
        ["mae", "b", 2, 0.5],
    ]


def test_a_group_called_as_a_field_hides_none() -> None:
    frame = api.compute("mae", data=FRAME.rename(columns={"g": "n"}), by="n").to_pandas()
    assert frame[["n", "group:n"]].to_numpy().tolist() == [[2, "a"], [2, "b"]]


def test_a_notebook_shows_a_table_of_what_matters() -> None:
    html = api.compute("mse", pred=PRED, target=TARGET)._repr_html_()
    assert html.startswith("<table")
    assert "<td>0.375</td>" in html
    assert "signature" not in html


def test_results_and_losses_survive_pickling() -> None:
    found = api.compute("mse", pred=PRED, target=TARGET)
    assert pickle.loads(pickle.dumps(found)).records == found.records
    assert pickle.loads(pickle.dumps(api.loss("huber:delta=2"))).spec == "huber:delta=2"


# --- the same as the command line -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [
        (["mse,huber:delta=0.3", "book.csv"], {"losses": "mse,huber:delta=0.3"}),
        (["mae", "book.csv", "-g", "g", "-w", "w"], {"losses": "mae", "by": "g", "weight": "w"}),
        (["mae", "book.csv", "-r", "sum", "--level", "0.9"], {"losses": "mae", "reduction": "sum", "level": 0.9}),
        (["mae", "book.csv", "--where", "w > 1"], {"losses": "mae", "where": "w > 1"}),
        (["mae", "book.csv", "--no-ci", "--dtype", "float32"], {"losses": "mae", "level": None, "dtype": "float32"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_records_are_those_of_the_command_line(
    losscli: Run, arguments: list[str], keywords: dict[str, Any]
) -> None:
    FRAME.to_csv("book.csv", index=False)
    printed = losscli("compute", *arguments, "-f", "json").json()["results"]
    records = api.compute(data="book.csv", **keywords).to_pandas().to_dict("records")
    for record in records:
        group = {name: record.pop(name) for name in ("g",) if name in record}
        record["group"] = group
    assert json.loads(json.dumps(records)) == [{name: record[name] for name in record} for record in printed]


@pytest.mark.parametrize(
    ("arguments", "keywords", "kind"),
    [
        (["hubber", "p.csv"], {"losses": "hubber", "data": "p.csv"}, UsageError),
        (["huber:delta=0", "p.csv"], {"losses": "huber:delta=0", "data": "p.csv"}, UsageError),
        (["mae,mae", "p.csv"], {"losses": ["mae", "mae"], "data": "p.csv"}, UsageError),
        (["mae", "none.csv"], {"losses": "mae", "data": "none.csv"}, ResourceError),
        (["mae", "p.csv"], {"losses": "mae", "data": "p.csv"}, DataError),
        (["mae", "p.csv", "-p", "perd"], {"losses": "mae", "data": "p.csv", "pred": "perd"}, UsageError),
        (["mae", "p.csv", "-g", "x"], {"losses": "mae", "data": "p.csv", "by": "x"}, UsageError),
        (["mae", "p.csv", "-w", "x"], {"losses": "mae", "data": "p.csv", "weight": "x"}, UsageError),
        (["mae", "p.csv", "--where", "x > 1"], {"losses": "mae", "data": "p.csv", "where": "x > 1"}, UsageError),
        (["mae", "p.csv", "--nan", "drop"], {"losses": "mae", "data": "p.csv", "nan": "drop"}, UsageError),
        (["mae", "p.csv", "-r", "Mean"], {"losses": "mae", "data": "p.csv", "reduction": "Mean"}, UsageError),
        (["mae", "p.csv", "--dtype", "half"], {"losses": "mae", "data": "p.csv", "dtype": "half"}, UsageError),
        (["mae", "p.csv", "--device", "gpu"], {"losses": "mae", "data": "p.csv", "device": "gpu"}, UsageError),
        (["mae", "p.csv", "--level", "95"], {"losses": "mae", "data": "p.csv", "level": 95.0}, UsageError),
        (["mae", "p.csv", "--clip", "0.7"], {"losses": "mae", "data": "p.csv", "clip": 0.7}, UsageError),
        (["mae", "p.csv", "--threads", "0"], {"losses": "mae", "data": "p.csv", "threads": 0}, UsageError),
        (["mae", "p.csv", "--chunk-rows", "0"], {"losses": "mae", "data": "p.csv", "chunk_rows": 0}, UsageError),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_failure_is_an_exception_with_the_words_of_the_command_line(
    losscli: Run, arguments: list[str], keywords: dict[str, Any], kind: type[LosscliError]
) -> None:
    Path("p.csv").write_text("pred,target\n1,2\n3,\n")
    printed = losscli("compute", *arguments)
    with pytest.raises(kind) as caught:
        api.compute(**keywords)
    assert printed.err.splitlines()[-1] == f"losscli: {caught.value}"
    assert printed.code == caught.value.exit_code


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "there is nothing to read. Hint: give data, or an array or a path for each role."),
        ({"pred": "y_pred"}, "there is nothing to read. Hint: give data, or an array or a path for each role."),
        ({"pred": [], "target": []}, "data: 0 rows."),
        ({"pred": PRED, "target": TARGET[:3]}, '"pred" has 4 rows, but "target" has 3.'),
        ({"pred": PRED, "target": TARGET, "extra": PRED}, 'mae has no role "extra". Hint: it takes pred, target.'),
        ({"pred": PRED, "taget": TARGET}, 'mae has no role "taget". Hint: did you mean "target"?'),
        (
            {"data": FRAME, "pred": PRED},
            "pred is a column of data, so it takes the column's name. "
            "Hint: leave data out to give an array for each role.",
        ),
        ({"data": FRAME, "weight": PRED}, "weight is a column of data, so it takes the column's name."),
    ],
    ids=["nothing", "name", "empty", "lengths", "role", "misspelt", "array", "weight"],
)
def test_data_that_do_not_fit_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(LosscliError) as caught:
        api.compute("mae", **given)
    assert str(caught.value) == message


def test_no_loss_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        api.compute([], pred=PRED, target=TARGET)
    assert str(caught.value) == "no loss is asked for. Hint: losscli.losses() has them all."


# --- figures ----------------------------------------------------------------------------------------------------------


def test_a_sweep_is_a_figure_with_a_line_for_each_value() -> None:
    figure = api.plot("huber", delta=[0.5, 1, 2], title="Huber", size=(4, 3))
    assert isinstance(figure, matplotlib.figure.Figure)
    assert figure.get_size_inches().tolist() == [4.0, 3.0]
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert len(legend.texts) == 3


def test_a_figure_refuses_what_the_loss_refuses() -> None:
    with pytest.raises(UsageError) as caught:
        api.plot("huber", dleta=1)
    assert str(caught.value) == 'huber has no parameter "dleta". Hint: did you mean "delta"?'


# --- training ---------------------------------------------------------------------------------------------------------


def test_a_bound_loss_trains_a_model() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(64, 3, generator=generator)
    target = features @ torch.tensor([1.0, -2.0, 0.5]) + 3
    weights = torch.zeros(3, requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    criterion = api.loss("huber", delta=2.0)
    optimizer = torch.optim.SGD([weights, bias], lr=0.3)
    costs = []
    for _ in range(60):
        cost = criterion(features @ weights + bias, target).mean()
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
        costs.append(cost.item())
    assert costs[-1] < 1e-6 < costs[0]
    assert weights.tolist() == pytest.approx([1.0, -2.0, 0.5], abs=1e-2)


# --- another device ---------------------------------------------------------------------------------------------------

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


@needs_cuda
def test_tensors_on_a_gpu_are_read() -> None:
    pred, target = (torch.tensor(values, device="cuda") for values in (PRED, TARGET))
    assert api.compute("mse", pred=pred, target=target).value == 0.375
    assert api.compute("mse", pred=pred, target=target, device="cuda").signature.split("|")[5] == "cuda"


@needs_cuda
@pytest.mark.parametrize(
    ("spec", "form", "bound"),
    [
        ("mse", "real", 4),
        ("mae", "real", 4),
        ("huber:delta=0.7", "real", 4),
        ("binary-cross-entropy", "event", 4),
        ("focal", "event", 4),
        ("cross-entropy", "classes", 4),
        # The sum over the other classes is rounded, and its square doubles that error.
        ("categorical-focal", "classes", 7),
        ("contrastive", "pairs", 4),
    ],
)
def test_a_gpu_gives_each_loss_to_a_few_ulp_and_the_exact_cost_over_them(spec: str, form: str, bound: int) -> None:
    random = np.random.default_rng(8)
    n = 3_000
    roles = {
        "real": {"pred": random.normal(size=n), "target": random.normal(size=n)},
        "event": {"pred": random.random(n), "target": random.integers(0, 2, n)},
        "classes": {"pred": random.normal(size=(n, 5)) * 4, "target": random.integers(0, 5, n)},
        "pairs": {"distance": random.random(n) * 2, "similar": random.integers(0, 2, n)},
    }[form]
    loss = api.loss(spec)
    losses = api.compute(spec, device="cuda", reduction="none", **roles)[loss.spec].tolist()
    for row in range(0, n, 29):
        datum = {role: values[row].tolist() for role, values in roles.items()}
        assert oracle.ulps(losses[row], oracle.value(loss.name, **datum, **oracle.own_params(loss))) <= bound
    expected = float(sum(map(Fraction, losses)) / n)
    assert api.compute(spec, device="cuda", **roles).value == expected


def test_a_criterion_takes_tensors_and_says_so() -> None:
    with pytest.raises(UsageError) as caught:
        api.loss("huber")([1.0], [2.0])  # type: ignore[arg-type]
    assert str(caught.value) == "huber: pred is a list, not a tensor. Hint: losscli.compute takes lists and arrays."


def test_two_losses_of_one_spec_are_equal() -> None:
    assert api.loss("huber", delta=2) == api.loss("huber:delta=2.0")
    assert len({api.loss("huber", delta=2), api.loss("huber:delta=2"), api.loss("huber")}) == 2


def test_a_parameter_that_is_given_as_a_role_is_told_its_place() -> None:
    with pytest.raises(UsageError) as caught:
        api.compute("nrmse", pred=PRED, target=TARGET, scale="std")
    assert str(caught.value) == (
        'nrmse has no role "scale". Hint: it is a parameter: "nrmse:scale=...", or bind(scale=...) of the loss.'
    )
