"""The files of ``sample_data/``: what they hold, that no model saw what it predicts, that the README's costs hold."""

from __future__ import annotations

import gzip
import importlib.util
import math
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy
import pandas
import pytest

from tests.conftest import Outcome

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "sample_data"
MOST_BYTES = 1_500_000

TABLES = {
    "book.csv": (4, ["y_true", "y_pred"]),
    "diabetes.csv": (
        442,
        ["patient_id", "age_band", "fold", "target", "pred_ridge", "pred_forest", "pred_knn"],
    ),
    "linnerud.jsonl": (20, ["member_id", "waist_true", "waist_pred", "pulse_true", "pulse_pred"]),
    "breast_cancer.csv": (569, ["sample_id", "fold", "target", "probability", "logit"]),
    "imbalanced.csv": (1708, ["sample_id", "fold", "target", "probability"]),
    "digits.csv": (1797, ["sample_id", "fold", "label", *(f"logit_{digit}" for digit in range(10))]),
    "iris_words.csv": (150, ["sample_id", "fold", "species", "prob_setosa", "prob_versicolor", "prob_virginica"]),
    "wine_submission.csv": (178, ["wine_id", "prob_0", "prob_1", "prob_2"]),
    "wine_answers.csv": (178, ["wine_id", "label"]),
}
OTHERS = {
    "own_loss.py",
    *("diabetes.csv.gz", "breast_cancer.parquet", "digits_logits.npy", "digits_labels.npy"),
    *("pairs.npz", "triplets.npz", "make_sample_data.py", "README.md"),
}
FOLDED = ("diabetes.csv", "breast_cancer.csv", "imbalanced.csv", "digits.csv", "iris_words.csv")


def table(name: str) -> pandas.DataFrame:
    return pandas.read_json(FOLDER / name, lines=True) if name.endswith(".jsonl") else pandas.read_csv(FOLDER / name)


def columns(frame: pandas.DataFrame, prefix: str) -> numpy.ndarray:
    return frame[[name for name in frame if name.startswith(prefix)]].to_numpy()


def archive(name: str) -> dict[str, numpy.ndarray]:
    with numpy.load(FOLDER / name) as file:
        return dict(file)


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sample_data", FOLDER / "make_sample_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its own module up.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "make_sample_data", module)
        spec.loader.exec_module(module)
    return module


def costs_of_the_readme() -> dict[str, list[float]]:
    """The README's commands, without ``losscli compute``, with their costs."""
    inside = re.search("<!-- costs:.*?<!-- end of costs -->", (FOLDER / "README.md").read_text(), flags=re.S)
    assert inside is not None
    rows = re.findall(r"^\| `(.*?)` \| ([-\d., e]+) \| .* \|$", inside.group(), flags=re.M)
    return {command: [float(cost) for cost in found.split(", ")] for command, found in rows}


# --- what is there ----------------------------------------------------------------------------------------------------


def test_the_folder_holds_these_files_and_no_others() -> None:
    found = {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert found == OTHERS | set(TABLES)


def test_all_files_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < MOST_BYTES


def test_the_readme_describes_every_data_file() -> None:
    text = (FOLDER / "README.md").read_text()
    files = (OTHERS | set(TABLES)) - {"README.md"}
    assert [name for name in sorted(files) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_the_rows_and_columns_that_the_readme_names(name: str) -> None:
    rows, names = TABLES[name]
    frame = table(name)
    assert list(frame) == names
    assert len(frame) == rows
    assert not frame.isna().any().any()
    lines = (FOLDER / "README.md").read_text().splitlines()
    line = next(line for line in lines if line.startswith("| ") and f"`{name}`" in line)
    assert f"| {rows:,} |" in line


@pytest.mark.parametrize(("name", "kinds"), [("pairs.npz", "ffi"), ("triplets.npz", "fff")])
def test_embeddings_are_float32_vectors_of_eight(name: str, kinds: str) -> None:
    found = archive(name)
    assert list(found) == (["first", "second", "similar"] if "i" in kinds else ["anchor", "positive", "negative"])
    assert "".join(array.dtype.kind for array in found.values()) == kinds
    for array in found.values():
        assert array.shape == ((450, 8) if array.dtype.kind == "f" else (450,))
        if array.dtype.kind == "f":
            assert array.dtype == numpy.float32


# --- the same data in another format ----------------------------------------------------------------------------------


def test_the_compressed_table_is_the_same_text() -> None:
    assert gzip.decompress((FOLDER / "diabetes.csv.gz").read_bytes()) == (FOLDER / "diabetes.csv").read_bytes()


def test_the_parquet_file_holds_the_same_bits_as_the_text() -> None:
    text = table("breast_cancer.csv")
    parquet = pandas.read_parquet(FOLDER / "breast_cancer.parquet")
    pandas.testing.assert_frame_equal(parquet, text, check_exact=True)


def test_the_arrays_hold_the_same_bits_as_the_text() -> None:
    frame = table("digits.csv")
    assert numpy.array_equal(numpy.load(FOLDER / "digits_logits.npy"), columns(frame, "logit_"))
    assert numpy.array_equal(numpy.load(FOLDER / "digits_labels.npy"), frame["label"])


# --- every value is in its domain -------------------------------------------------------------------------------------


def test_a_probability_is_the_sigmoid_of_its_logit() -> None:
    frame = table("breast_cancer.csv")
    expected = [1 / (1 + math.exp(-logit)) for logit in frame["logit"]]
    assert frame["probability"].tolist() == pytest.approx(expected, rel=1e-15, abs=0)


@pytest.mark.parametrize("name", ["breast_cancer.csv", "imbalanced.csv"])
def test_no_probability_is_so_certain_that_its_loss_could_be_infinite(name: str) -> None:
    frame = table(name)
    assert set(frame["target"]) == {0, 1}
    of_truth = frame["probability"].where(frame["target"] == 1, 1 - frame["probability"])
    assert of_truth.between(0, 1, inclusive="right").all()


def test_one_datum_in_twenty_is_positive() -> None:
    assert table("imbalanced.csv")["target"].mean() == pytest.approx(1 / 20, rel=0.01)


@pytest.mark.parametrize("name", ["iris_words.csv", "wine_submission.csv"])
def test_probabilities_of_classes_are_positive_and_sum_to_one(name: str) -> None:
    probabilities = columns(table(name), "prob_")
    assert (probabilities > 0).all()
    assert probabilities.sum(1) == pytest.approx(1, abs=1e-12)


def test_every_label_is_one_of_its_classes() -> None:
    assert sorted(set(table("digits.csv")["label"])) == list(range(10))
    assert sorted(set(table("wine_answers.csv")["label"])) == [0, 1, 2]
    iris = table("iris_words.csv")
    assert {f"prob_{word}" for word in iris["species"]} == set(iris.columns[3:])


def test_similar_pairs_and_dissimilar_pairs_take_turns() -> None:
    assert archive("pairs.npz")["similar"].tolist() == [0, 1] * 225


def test_no_datum_of_a_pair_or_triplet_is_its_own_partner() -> None:
    pairs, triplets = archive("pairs.npz"), archive("triplets.npz")
    assert (pairs["first"] != pairs["second"]).any(1).all()
    assert (triplets["anchor"] != triplets["positive"]).any(1).all()
    assert (triplets["anchor"] != triplets["negative"]).any(1).all()


def test_the_networks_have_learnt_to_tell_digits_apart() -> None:
    pairs, triplets = archive("pairs.npz"), archive("triplets.npz")
    distance = numpy.linalg.norm(pairs["first"] - pairs["second"], axis=1)
    similar = pairs["similar"] == 1
    assert 2 * distance[similar].mean() < distance[~similar].mean()
    near, far = (numpy.linalg.norm(triplets["anchor"] - triplets[key], axis=1) for key in ("positive", "negative"))
    assert 2 * near.mean() < far.mean()


# --- joins and folds --------------------------------------------------------------------------------------------------


def test_ids_are_unique_in_every_table_that_has_them() -> None:
    identified = {name: table(name) for name in TABLES if name != "book.csv"}
    assert [name for name, frame in identified.items() if not frame[frame.columns[0]].is_unique] == []


def test_the_two_wine_files_have_the_same_ids_in_different_orders() -> None:
    submission, answers = table("wine_submission.csv")["wine_id"], table("wine_answers.csv")["wine_id"]
    assert sorted(submission) == list(answers)
    assert list(submission) != list(answers)


def test_reading_the_wine_files_by_row_order_would_give_another_cost() -> None:
    submission, answers = table("wine_submission.csv"), table("wine_answers.csv")
    of_truth = columns(submission, "prob_")[numpy.arange(178), answers["label"]]
    joined = costs_of_the_readme()["cross-entropy --input probs --truth wine_answers.csv wine_submission.csv"][0]
    assert numpy.mean(-numpy.log(of_truth)) > 2 * joined


@pytest.mark.parametrize("name", FOLDED)
def test_the_folds_are_five_of_nearly_one_size(name: str) -> None:
    sizes = table(name)["fold"].value_counts()
    assert sorted(sizes.index) == [1, 2, 3, 4, 5]
    assert sizes.max() - sizes.min() <= 1


def ridge(train: numpy.ndarray, target: numpy.ndarray, test: numpy.ndarray) -> numpy.ndarray:
    """Ridge regression with penalty 10 on standardized features, by the normal equations."""
    mean, spread = train.mean(0), train.std(0)
    x = (train - mean) / spread
    slope = numpy.linalg.solve(x.T @ x + 10 * numpy.eye(x.shape[1]), x.T @ (target - target.mean()))
    return target.mean() + (test - mean) / spread @ slope


def test_each_prediction_of_diabetes_comes_from_a_model_fitted_on_the_other_folds() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    data = datasets.load_diabetes(scaled=False)
    frame = table("diabetes.csv")
    for fold in range(1, 6):
        inside = (frame["fold"] == fold).to_numpy()
        found = frame["pred_ridge"][inside].to_numpy()
        assert found == pytest.approx(ridge(data.data[~inside], data.target[~inside], data.data[inside]), abs=6e-5)
        # The check can tell: a model that has seen them predicts otherwise.
        seen = ridge(data.data, data.target, data.data[inside])
        assert abs(found - seen).max() > 1


@pytest.mark.parametrize("name", ["waist", "pulse"])
def test_each_man_is_predicted_by_a_model_fitted_on_the_others(name: str) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    features = datasets.load_linnerud().data
    frame = table("linnerud.jsonl")
    target = frame[f"{name}_true"].to_numpy(float)
    for man in range(len(frame)):
        others = numpy.arange(len(frame)) != man
        expected = ridge(features[others], target[others], features[[man]])
        assert frame[f"{name}_pred"][man] == pytest.approx(expected[0], abs=6e-4)


# --- the README's costs -----------------------------------------------------------------------------------------------


def by_the_formula(command: str) -> list[float]:
    """The costs of a command of the README, from the definition of the loss, with Python's own functions."""
    words = shlex.split(command)
    loss, name = words[0], words[-1]
    if loss in ("mse", "mae", "huber"):
        delta = float(words[words.index("--delta") + 1]) if "--delta" in words else math.inf
        frame = table(name)
        pairs = [(column, target_of(column, frame)) for column in frame if "pred" in column]
        return [mean([pointwise(loss, delta, e) for e in frame[pred] - frame[target]]) for pred, target in pairs]
    if loss in ("bce", "focal", "balanced-cross-entropy"):
        return [two_classes(loss, table(name))]
    if loss == "cross-entropy":
        return [mean(classes(words))]
    data = {key: array.astype(float) for key, array in archive(name).items()}
    if loss == "contrastive":
        distances = [math.dist(a, b) for a, b in zip(data["first"], data["second"])]
        return [mean([d * d / 2 if s else max(0, 1 - d) ** 2 / 2 for d, s in zip(distances, data["similar"])])]
    power = 1 if "euclidean" in words else 2
    near, far = ([math.dist(a, b) ** power for a, b in zip(data["anchor"], data[k])] for k in ("positive", "negative"))
    return [mean([max(0, a - b + 1) for a, b in zip(near, far)])]


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def target_of(pred: str, frame: pandas.DataFrame) -> str:
    return pred.replace("_pred", "_true") if pred.endswith("_pred") and "target" not in frame else "target"


def pointwise(loss: str, delta: float, error: float) -> float:
    if loss == "mse":
        return error * error
    if loss == "mae":
        return abs(error)
    return error * error / 2 if abs(error) <= delta else delta * (abs(error) - delta / 2)


def two_classes(loss: str, frame: pandas.DataFrame) -> float:
    positive = int(frame["target"].sum())
    share = {1: len(frame) / (2 * positive), 0: len(frame) / (2 * (len(frame) - positive))}
    found = []
    for p, y in zip(frame["probability"], frame["target"]):
        of_truth = p if y else 1 - p
        scale = {"bce": 1.0, "balanced-cross-entropy": share[y], "focal": (0.25 if y else 0.75) * (1 - of_truth) ** 2}
        found.append(-scale[loss] * math.log(of_truth))
    return mean(found)


def classes(words: list[str]) -> list[float]:
    frame = table(words[-1])
    if "--truth" in words:
        frame = frame.merge(table(words[words.index("--truth") + 1]), on="wine_id")
    if "probs" not in words:
        logits = columns(frame, "logit_").tolist()
        return [math.log(math.fsum(math.exp(z) for z in row)) - row[y] for row, y in zip(logits, frame["label"])]
    label = "species" if "species" in frame else "label"
    return [-math.log(row[f"prob_{row[label]}"]) for row in frame.to_dict("records")]


def test_the_readme_gives_the_costs_of_every_loss_of_the_spine() -> None:
    assert len(costs_of_the_readme()) == 18


@pytest.mark.parametrize("command", costs_of_the_readme())
def test_the_readmes_cost_is_what_the_definition_gives(command: str) -> None:
    assert by_the_formula(command) == pytest.approx(costs_of_the_readme()[command], rel=1e-9, abs=0)


@pytest.mark.parametrize("command", costs_of_the_readme())
def test_losscli_gives_the_readmes_costs(
    command: str, losscli: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    found = losscli("compute", *shlex.split(command), "--format", "json")
    assert found.values() == pytest.approx(costs_of_the_readme()[command], rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("command", "other"),
    [
        ("mse diabetes.csv", "mse diabetes.csv.gz"),
        ("bce breast_cancer.csv", "bce breast_cancer.parquet"),
        (
            "cross-entropy -p logit_* -t label digits.csv",
            "cross-entropy --pred digits_logits.npy --target digits_labels.npy",
        ),
    ],
)
def test_another_format_of_the_same_data_gives_the_same_bits(
    command: str, other: str, losscli: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    first, second = (losscli("compute", *words.split(), "--format", "json").values() for words in (command, other))
    assert first == second


def test_the_readmes_table_is_what_the_script_computes_from_the_files() -> None:
    pytest.importorskip("sklearn")
    maker = script()
    text = (FOLDER / "README.md").read_text()
    inside = text.partition(maker.BEGIN)[2].partition(maker.END)[0].strip()
    assert inside == maker.as_table(maker.costs(FOLDER))


@pytest.mark.slow
def test_running_the_script_again_gives_the_same_numbers(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    script().make(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == (OTHERS | set(TABLES)) - {
        "make_sample_data.py",
        "own_loss.py",
        "README.md",
    }
    for path in sorted(tmp_path.glob("*.csv")):
        # The last printed decimal may differ on another machine.
        pandas.testing.assert_frame_equal(pandas.read_csv(path), table(path.name), rtol=2e-5, atol=2e-4)
    for path in sorted(tmp_path.glob("*.npz")):
        with numpy.load(path) as again:
            for key, array in archive(path.name).items():
                numpy.testing.assert_allclose(again[key], array, rtol=1e-4, atol=1e-4)
