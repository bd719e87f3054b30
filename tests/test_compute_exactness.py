"""The same bits for every chunk size, number of threads, row order, file format and layout; and they are right."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from tests.conftest import Outcome

ROWS = 5_003
Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    random = np.random.default_rng(20)
    target = random.normal(size=ROWS) * 10.0 ** random.integers(-6, 7, size=ROWS)
    return pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "y_true": target,
            "y_pred": target + random.normal(size=ROWS) * 10.0 ** random.integers(-8, 5, size=ROWS),
            "w": random.random(ROWS),
            "group": random.choice(["a", "b", "c"], ROWS),
        }
    )


def absolute_errors(frame: pd.DataFrame) -> list[Fraction]:
    """Each datum's loss as the program rounds it: one subtraction in float64."""
    return [Fraction(abs(p - t)) for p, t in zip(frame["y_pred"].tolist(), frame["y_true"].tolist())]


def test_the_cost_is_the_correctly_rounded_mean(losscli: Run, frame: pd.DataFrame) -> None:
    frame.to_csv("p.csv", index=False)
    expected = float(sum(absolute_errors(frame)) / ROWS)
    assert losscli("compute", "mae", "p.csv", "-f", "json").values() == [expected]


def test_the_weighted_cost_is_the_correctly_rounded_ratio(losscli: Run, frame: pd.DataFrame) -> None:
    frame.to_csv("p.csv", index=False)
    weights = [Fraction(w) for w in frame["w"].tolist()]
    expected = float(sum(w * e for w, e in zip(weights, absolute_errors(frame))) / sum(weights))
    assert losscli("compute", "mae", "p.csv", "-w", "w", "-f", "json").values() == [expected]


def test_the_sum_and_the_groups_are_correctly_rounded(losscli: Run, frame: pd.DataFrame) -> None:
    frame.to_csv("p.csv", index=False)
    errors = pd.Series(absolute_errors(frame))
    found = losscli("compute", "mae", "p.csv", "-g", "group", "-r", "sum", "-f", "json").json()["results"]
    expected = {group: float(sum(part)) for group, part in errors.groupby(frame["group"])}
    assert {record["group"]["group"]: record["value"] for record in found} == expected


@pytest.mark.parametrize("chunk", ["1", "2", "7", "1000", "5003", "1000000"])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_chunks_and_threads_change_no_bit(losscli: Run, frame: pd.DataFrame, chunk: str, threads: str) -> None:
    part = frame.head(400) if len(chunk) == 1 else frame
    part.to_csv("p.csv", index=False)
    common = ("compute", "huber:delta=0.3,mse", "p.csv", "-w", "w", "-g", "group", "-f", "tsv")
    assert losscli(*common, "--chunk-rows", chunk, "--threads", threads).out == losscli(*common).out


@pytest.mark.parametrize("chunk", ["1", "3", "64", "1797"])
def test_per_datum_losses_do_not_depend_on_the_chunk(losscli: Run, chunk: str) -> None:
    random = np.random.default_rng(3)
    np.savez("z.npz", logits=random.normal(size=(301, 7)) * 20, labels=random.integers(0, 7, 301))
    common = ("compute", "cross-entropy", "-p", "logits", "-t", "labels", "z.npz", "--per-datum", "-f", "plain")
    whole = losscli(*common)
    assert whole.code == 0
    assert losscli(*common, "--chunk-rows", chunk).out == whole.out


def test_the_order_of_rows_changes_no_bit(losscli: Run, frame: pd.DataFrame) -> None:
    frame.to_csv("p.csv", index=False)
    frame.sample(frac=1, random_state=1).to_csv("shuffled.csv", index=False)
    straight, shuffled = losscli("compute", "mse,mae", "p.csv", "shuffled.csv", "-f", "json").json()["results"][::2]
    fields = ("n", "value", "std_error", "ci_low", "ci_high", "min", "max")
    assert [straight[field] for field in fields] == [shuffled[field] for field in fields]


def write_all_formats(frame: pd.DataFrame) -> list[str]:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    frame.to_csv("p.csv", index=False)
    frame.to_csv("p.tsv", index=False, sep="\t")
    frame.to_csv("semicolon.csv", index=False, sep=";")
    for suffix in ("gz", "bz2", "xz"):
        frame.to_csv(f"p.csv.{suffix}", index=False)
    Path("p.csv.zst").write_bytes(pa.compress(Path("p.csv").read_bytes(), codec="zstd", asbytes=True))
    Path("p.jsonl").write_text(frame.to_json(orient="records", lines=True, double_precision=15))
    pyarrow.parquet.write_table(table, "p.parquet")
    pyarrow.feather.write_feather(table, "p.feather")
    np.savez("p.npz", **{name: frame[name].to_numpy() for name in ("y_true", "y_pred", "w")})
    np.savez_compressed("small.npz", **{name: frame[name].to_numpy() for name in ("y_true", "y_pred", "w")})
    text = ["p.csv", "p.tsv", "semicolon.csv", "p.csv.gz", "p.csv.bz2", "p.csv.xz", "p.csv.zst"]
    return [*text, "p.parquet", "p.feather", "p.npz", "small.npz"]


def test_every_format_gives_the_same_bits(losscli: Run, frame: pd.DataFrame) -> None:
    files = write_all_formats(frame)
    found = losscli("compute", "mse", *files, "-w", "w", "-f", "json")
    assert found.err.count("Hint") == 0
    records = found.json()["results"]
    assert [record["file"] for record in records] == files
    assert len({(record["value"], record["std_error"], record["n"]) for record in records}) == 1


def test_layouts_of_arrays_change_no_bit(losscli: Run) -> None:
    random = np.random.default_rng(4)
    pred, target = random.normal(size=(257, 5)), random.normal(size=(257, 5))
    values = set()
    for name, change in {
        "c": np.ascontiguousarray,
        "fortran": np.asfortranarray,
        "big": lambda array: array.astype(">f8"),
        "strided": lambda array: np.repeat(array, 2, axis=0)[::2],
    }.items():
        np.save(f"{name}_p.npy", change(pred))
        np.save(f"{name}_t.npy", change(target))
        values.add(losscli("compute", "mse", "-p", f"{name}_p.npy", "-t", f"{name}_t.npy", "-f", "plain").out)
    assert len(values) == 1
    assert values != {""}
