"""Makes the files of this folder: real predictions of real models, from data sets that scikit-learn ships.

``python sample_data/make_sample_data.py [FOLDER]`` writes them all and the table of costs in ``README.md``. Nothing is
downloaded. The seeds are fixed and everything runs on one thread, so that a second run writes the same numbers. No
prediction comes from a model that has seen the datum, and no cost in the table from losscli.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy
import pandas
import torch
from sklearn import datasets, metrics
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import BaseCrossValidator, KFold, LeaveOneOut, StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from threadpoolctl import threadpool_limits
from torch import Tensor

HERE = Path(__file__).parent
SEED = 1
FOLDS = 5
BEGIN, END = "<!-- costs: written by make_sample_data.py -->", "<!-- end of costs -->"


def logistic_regression() -> LogisticRegression:
    """Newton's method goes on until the optimum, so that the numbers do not depend on where a search gave up."""
    return LogisticRegression(solver="newton-cholesky", tol=1e-10, max_iter=200)


def out_of_fold(
    model: BaseEstimator,
    features: numpy.ndarray,
    target: numpy.ndarray,
    folds: BaseCrossValidator,
    method: str = "predict",
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Each datum's prediction by a model fitted on the other folds, and the number of its fold, from 1."""
    parts, number = [], numpy.zeros(len(target), int)
    for fold, (train, test) in enumerate(folds.split(features, target), start=1):
        fitted = clone(model).fit(features[train], target[train])
        parts.append((test, getattr(fitted, method)(features[test])))
        number[test] = fold
    predictions = numpy.empty((len(target), *parts[0][1].shape[1:]))
    for test, values in parts:
        predictions[test] = values
    return predictions, number


def diabetes(folder: Path) -> None:
    """Regression by three models side by side, and the same table compressed."""
    data = datasets.load_diabetes(as_frame=True, scaled=False)
    features, target = data.data.to_numpy(), data.target.to_numpy()
    folds = KFold(FOLDS, shuffle=True, random_state=SEED)
    models = {
        "ridge": make_pipeline(StandardScaler(), Ridge(alpha=10)),
        "forest": RandomForestRegressor(100, min_samples_leaf=5, random_state=SEED),
        "knn": make_pipeline(StandardScaler(), KNeighborsRegressor(20)),
    }
    table = pandas.DataFrame({"patient_id": range(1, len(target) + 1)})
    bands = pandas.cut(data.data["age"], [0, 40, 60, 120], right=False, labels=["under 40", "40 to 59", "60 and over"])
    table["age_band"] = bands.astype(str)
    predictions = {}
    for name, model in models.items():
        predictions[f"pred_{name}"], fold = out_of_fold(model, features, target, folds)
    table = table.assign(fold=fold, target=target.astype(int), **predictions).round(4)
    table.to_csv(folder / "diabetes.csv", index=False, lineterminator="\n")
    # Without a time stamp the same table gives the same bytes.
    compressed = gzip.compress((folder / "diabetes.csv").read_bytes(), mtime=0)
    (folder / "diabetes.csv.gz").write_bytes(compressed)


def breast_cancer(folder: Path) -> None:
    """Two classes, with the logit and its probability at full precision, as text and as Parquet."""
    data = datasets.load_breast_cancer()
    malignant = (data.target == 0).astype(int)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    model = make_pipeline(StandardScaler(), logistic_regression())
    logit, fold = out_of_fold(model, data.data, malignant, folds, "decision_function")
    probability = torch.sigmoid(torch.from_numpy(logit)).numpy()
    table = pandas.DataFrame({"sample_id": range(1, len(logit) + 1), "fold": fold, "target": malignant})
    table = table.assign(probability=probability, logit=logit)
    table.to_csv(folder / "breast_cancer.csv", index=False, lineterminator="\n")
    table.to_parquet(folder / "breast_cancer.parquet", index=False)


def digits(folder: Path) -> None:
    """Ten classes with their logits, as text and as arrays."""
    data = datasets.load_digits()
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    model = make_pipeline(MinMaxScaler(), logistic_regression())
    logits, fold = out_of_fold(model, data.data, data.target, folds, "decision_function")
    logits = logits.round(4) + 0.0  # no "-0.0"
    table = pandas.DataFrame({"sample_id": range(1, len(logits) + 1), "fold": fold, "label": data.target})
    columns = {f"logit_{digit}": logits[:, digit] for digit in range(10)}
    table.assign(**columns).to_csv(folder / "digits.csv", index=False, lineterminator="\n")
    numpy.save(folder / "digits_logits.npy", numpy.ascontiguousarray(logits))
    numpy.save(folder / "digits_labels.npy", data.target.astype(numpy.int64))


def iris(folder: Path) -> None:
    """Three classes whose labels are words."""
    data = datasets.load_iris()
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    model = make_pipeline(StandardScaler(), logistic_regression())
    probabilities, fold = out_of_fold(model, data.data, data.target, folds, "predict_proba")
    table = pandas.DataFrame({"sample_id": range(1, len(fold) + 1), "fold": fold})
    table["species"] = data.target_names[data.target]
    for position, name in enumerate(data.target_names):
        table[f"prob_{name}"] = probabilities[:, position]
    table.to_csv(folder / "iris_words.csv", index=False, lineterminator="\n")


def imbalanced(folder: Path) -> None:
    """A rare positive class: is the digit an 8, where one in twenty is."""
    data = datasets.load_digits()
    eight = data.target == 8
    others = numpy.flatnonzero(~eight)
    kept = numpy.random.default_rng(SEED).choice(numpy.flatnonzero(eight), len(others) // 19, replace=False)
    rows = numpy.sort(numpy.concatenate([others, kept]))
    features, target = data.data[rows], eight[rows].astype(int)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    model = make_pipeline(MinMaxScaler(), logistic_regression())
    probabilities, fold = out_of_fold(model, features, target, folds, "predict_proba")
    table = pandas.DataFrame({"sample_id": rows + 1, "fold": fold, "target": target})
    table["probability"] = [float(f"{value:.6g}") for value in probabilities[:, 1]]
    table.to_csv(folder / "imbalanced.csv", index=False, lineterminator="\n")


def wine(folder: Path) -> None:
    """Predictions in one file and the truth in another, in two orders, joined by an id."""
    data = datasets.load_wine()
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    forest = RandomForestClassifier(100, min_samples_leaf=3, max_depth=3, random_state=SEED)
    probabilities, _ = out_of_fold(forest, data.data, data.target, folds, "predict_proba")
    wine_id = numpy.arange(1, len(data.target) + 1)
    answers = pandas.DataFrame({"wine_id": wine_id, "label": data.target})
    answers.to_csv(folder / "wine_answers.csv", index=False, lineterminator="\n")
    submission = pandas.DataFrame({"wine_id": wine_id})
    for label in range(3):
        submission[f"prob_{label}"] = probabilities[:, label]
    order = numpy.random.default_rng(SEED).permutation(len(wine_id))
    submission.iloc[order].to_csv(folder / "wine_submission.csv", index=False, lineterminator="\n")


def linnerud(folder: Path) -> None:
    """Two targets, each with its prediction, left out one at a time, as JSON Lines."""
    data = datasets.load_linnerud(as_frame=True)
    features = data.data.to_numpy(float)
    table = pandas.DataFrame({"member_id": range(1, len(features) + 1)})
    for name in ("Waist", "Pulse"):
        model = make_pipeline(StandardScaler(), Ridge(alpha=10))
        target = data.target[name].to_numpy(float)
        predictions, _ = out_of_fold(model, features, target, LeaveOneOut())
        table[f"{name.lower()}_true"] = target.astype(int)
        table[f"{name.lower()}_pred"] = predictions.round(3)
    (folder / "linnerud.jsonl").write_text(table.to_json(orient="records", lines=True))


def book(folder: Path) -> None:
    """The textbook example of the squared and the absolute error: 0.375 and 0.5."""
    table = pandas.DataFrame({"y_true": [3, -0.5, 2, 7], "y_pred": [2.5, 0, 2, 8]})
    table.to_csv(folder / "book.csv", index=False, lineterminator="\n")


def contrastive(distance: Tensor, similar: Tensor) -> Tensor:
    """Hadsell, Chopra and LeCun's loss of each pair, with margin 1."""
    apart = (1 - distance).clamp(min=0)
    return 0.5 * (similar * distance.square() + (1 - similar) * apart.square())


def triplet(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """FaceNet's loss of each triplet, with squared Euclidean distances and margin 1."""
    near, far = (anchor - positive).square().sum(1), (anchor - negative).square().sum(1)
    return (near - far + 1).clamp(min=0)


def partners(labels: Tensor, same: bool, random: torch.Generator) -> Tensor:
    """For each datum the index of another one, at random, with the same label or with another label."""
    fits = (labels[:, None] == labels[None, :]) == same
    return torch.multinomial(fits.fill_diagonal_(False).double(), 1, generator=random).squeeze(1)


def trained(images: Tensor, labels: Tensor, objective: Callable[[Tensor, Tensor, Tensor], Tensor]) -> torch.nn.Module:
    """A small network, 64 pixels to a vector of 8, under which equal digits lie together.

    Args:
        images: shape (n, 64).
        labels: shape (n,).
        objective: the losses of data, each with a partner of its own label and one of another.
    """
    torch.manual_seed(SEED)
    random = torch.Generator().manual_seed(SEED)
    network = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 8)).double()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(120):
        batch = torch.randperm(len(labels), generator=random)[:256]
        positive, negative = (partners(labels[batch], same, random) for same in (True, False))
        vectors = network(images[batch])
        losses = objective(vectors, vectors[positive], vectors[negative])
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
    return network


def of_both_pairs(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """The contrastive losses of a similar and of a dissimilar pair of each datum."""
    # The root has no slope at 0.
    near, far = ((anchor - other).square().sum(1).add(1e-12).sqrt() for other in (positive, negative))
    return contrastive(near, torch.ones_like(near)) + contrastive(far, torch.zeros_like(far))


def embeddings(folder: Path) -> None:
    """Pairs and triplets of held-out digits, embedded by two networks that were trained on the other digits."""
    data = datasets.load_digits()
    split = train_test_split(data.data / 16, data.target, test_size=0.25, stratify=data.target, random_state=SEED)
    images, held_out, labels, held_out_labels = (torch.from_numpy(part) for part in split)
    random = torch.Generator().manual_seed(SEED)
    positive, negative = (partners(held_out_labels, same, random) for same in (True, False))
    similar = torch.arange(len(held_out)) % 2
    second = torch.where(similar == 1, positive, negative)
    paired, tripled = (
        trained(images, labels, objective)(held_out).detach().float().numpy() for objective in (of_both_pairs, triplet)
    )
    numpy.savez(folder / "pairs.npz", first=paired, second=paired[second], similar=similar.numpy())
    numpy.savez(folder / "triplets.npz", anchor=tripled, positive=tripled[positive], negative=tripled[negative])


@dataclass(frozen=True)
class Cost:
    """What a command must give, by a library or formula that is not losscli's.

    Attributes:
        command: without ``losscli compute`` and the folder's name.
        by: what computed the values.
        values: one for each prediction that the command finds, in the order of the columns.
    """

    command: str
    by: str
    values: tuple[float, ...]


def costs(folder: Path) -> Iterator[Cost]:
    """The costs of the files as they lie in ``folder``, computed with scikit-learn and torch in float64."""
    table = pandas.read_csv(folder / "book.csv")
    yield Cost("mse book.csv", "scikit-learn", (metrics.mean_squared_error(table.y_true, table.y_pred),))
    yield Cost("mae book.csv", "scikit-learn", (metrics.mean_absolute_error(table.y_true, table.y_pred),))

    table = pandas.read_csv(folder / "diabetes.csv")
    truth = table.target.to_numpy(float)
    models = [table[name].to_numpy() for name in ("pred_ridge", "pred_forest", "pred_knn")]
    yield Cost("mse diabetes.csv", "scikit-learn", tuple(metrics.mean_squared_error(truth, each) for each in models))
    yield Cost("mae diabetes.csv", "scikit-learn", tuple(metrics.mean_absolute_error(truth, each) for each in models))
    for delta in (1, 50):
        losses = (
            torch.nn.functional.huber_loss(torch.tensor(each), torch.tensor(truth), delta=delta) for each in models
        )
        values = tuple(loss.item() for loss in losses)
        yield Cost(f"huber --delta {delta} diabetes.csv", "torch", values)

    table = pandas.read_json(folder / "linnerud.jsonl", lines=True)
    values = tuple(metrics.mean_absolute_error(table[f"{n}_true"], table[f"{n}_pred"]) for n in ("waist", "pulse"))
    yield Cost("mae linnerud.jsonl", "scikit-learn", values)

    table = pandas.read_csv(folder / "breast_cancer.csv")
    yield Cost("bce breast_cancer.csv", "scikit-learn", (metrics.log_loss(table.target, table.probability),))
    logit, target = (torch.tensor(table[name].to_numpy(float)) for name in ("logit", "target"))
    value = torch.nn.functional.binary_cross_entropy_with_logits(logit, target).item()
    yield Cost("bce --input logits breast_cancer.csv", "torch", (value,))

    table = pandas.read_csv(folder / "imbalanced.csv")
    yield Cost("bce imbalanced.csv", "scikit-learn", (metrics.log_loss(table.target, table.probability),))
    weight = numpy.where(table.target == 1, *(len(table) / (2 * (table.target == label).sum()) for label in (1, 0)))
    value = metrics.log_loss(table.target, table.probability, sample_weight=weight)
    yield Cost("balanced-cross-entropy imbalanced.csv", "scikit-learn, weighted", (value,))
    of_truth = torch.from_numpy(numpy.where(table.target == 1, table.probability, 1 - table.probability))
    alpha = torch.from_numpy(numpy.where(table.target == 1, 0.25, 0.75))
    value = (-alpha * (1 - of_truth).square() * of_truth.log()).mean().item()
    yield Cost("focal imbalanced.csv", "torch, from the formula", (value,))

    logits = torch.from_numpy(numpy.load(folder / "digits_logits.npy"))
    labels = torch.from_numpy(numpy.load(folder / "digits_labels.npy"))
    value = torch.nn.functional.cross_entropy(logits, labels).item()
    yield Cost("cross-entropy -p 'logit_*' -t label digits.csv", "torch", (value,))

    table = pandas.read_csv(folder / "iris_words.csv")
    names = sorted(table.species.unique())
    value = metrics.log_loss(table.species, table[[f"prob_{name}" for name in names]].to_numpy(), labels=names)
    yield Cost("cross-entropy --input probs iris_words.csv", "scikit-learn", (value,))

    table = pandas.read_csv(folder / "wine_submission.csv")
    table = table.merge(pandas.read_csv(folder / "wine_answers.csv"), on="wine_id")
    value = metrics.log_loss(table.label, table[["prob_0", "prob_1", "prob_2"]].to_numpy())
    yield Cost("cross-entropy --input probs --truth wine_answers.csv wine_submission.csv", "scikit-learn", (value,))

    with numpy.load(folder / "pairs.npz") as file:
        first, second, similar = (torch.from_numpy(file[name]).double() for name in ("first", "second", "similar"))
    value = contrastive((first - second).square().sum(1).sqrt(), similar).mean().item()
    yield Cost("contrastive pairs.npz", "torch, from the formula", (value,))
    with numpy.load(folder / "triplets.npz") as file:
        parts = [torch.from_numpy(file[name]).double() for name in ("anchor", "positive", "negative")]
    yield Cost("triplet triplets.npz", "torch, from the formula", (triplet(*parts).mean().item(),))
    value = torch.nn.functional.triplet_margin_loss(*parts, eps=0).item()
    yield Cost("triplet --distance euclidean triplets.npz", "torch", (value,))


def as_table(found: Iterator[Cost]) -> str:
    """The costs as a Markdown table."""
    lines = ["| `losscli compute` ... | cost | computed by |", "|---|---|---|"]
    lines += [f"| `{c.command}` | {', '.join(f'{value:.10g}' for value in c.values)} | {c.by} |" for c in found]
    return "\n".join(lines)


MAKERS = (book, diabetes, linnerud, breast_cancer, imbalanced, digits, iris, wine, embeddings)


def make(folder: Path) -> None:
    """Writes every data file into ``folder``."""
    # One thread adds in one order.
    torch.set_num_threads(1)
    with threadpool_limits(1):
        for write in MAKERS:
            write(folder)


def main() -> None:
    """Writes the files, and the table of costs where the folder has a ``README.md``; else prints it."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    folder.mkdir(exist_ok=True)
    make(folder)
    table, page = as_table(costs(folder)), folder / "README.md"
    if not page.exists():
        print(table)
        return
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


if __name__ == "__main__":
    main()
