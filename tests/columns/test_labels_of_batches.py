"""Roles that are neither prediction nor target: vectors with labels, times with events, lengths of sequences."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import losscli
from losscli.columns.roles import assign
from losscli.readers import open_memory, open_source
from losscli.readers.source import Field
from losscli.registry import parse_spec, parse_specs
from tests.columns.cases import NUMBERS, P, Y, assigned, refusal

VECTORS = {"embedding_0": NUMBERS, "embedding_1": P}


@pytest.mark.parametrize("name", ["label", "class", "speaker", "y_true"])
def test_numbered_columns_are_the_embedding_and_what_tells_rows_apart_is_the_label(name: str) -> None:
    found = assigned("nt-xent", {"id": list(range(6)), **VECTORS, name: Y})
    assert found.calls[0].fields == {
        "embedding": Field(("embedding_0", "embedding_1"), matrix=True),
        "label": Field((name,)),
    }
    assert found.notes == (f'using "embedding_*" (2 columns) as embedding and "{name}" as label',)


def test_equal_words_belong_together_also_those_that_come_late_and_those_that_differ_in_case(tmp_path: Path) -> None:
    """The first 1,000 rows are what columns are chosen by; the words are those of the whole file."""
    words = ["cat", "Cat", "dog"] * 400 + ["late", "late"]
    rows = "".join(f"{word},{k % 7},{1 + k % 5}\n" for k, word in enumerate(words))
    path = tmp_path / "vectors.csv"
    path.write_text(f"label,embedding_0,embedding_1\n{rows}")
    source = open_source(path)
    field = assign(source, parse_specs("supcon")).calls[0].fields["label"]
    assert field.words == ("Cat", "cat", "dog", "late")
    numbers = torch.tensor([field.words.index(word) for word in words]).double()
    vectors = torch.tensor([[k % 7, 1 + k % 5] for k in range(len(words))]).double()
    assert losscli.compute("supcon", data=path)[0].value == float(parse_spec("supcon")(vectors, numbers).mean())


def test_words_of_an_array_are_labels_too() -> None:
    words = losscli.compute("nt-xent", embedding=[[1.0, 0], [1, 1], [0, 1]], label=["a", "a", "b"])
    assert words[0].value == losscli.compute("nt-xent", embedding=[[1.0, 0], [1, 1], [0, 1]], label=[7, 7, 3])[0].value


def test_a_status_in_words_is_a_question_as_any_two_words_are() -> None:
    columns = {"log_risk": NUMBERS, "duration": P, "status": ["died", "alive"] * 3}
    assert refusal("cox", columns) == (
        '"status" holds the words "alive" and "died"; nothing says which is the positive class. '
        "Hint: say it with --positive-label alive or --positive-label died."
    )
    found = assigned("cox", columns, "died")
    assert found.calls[0].fields == {
        "pred": Field(("log_risk",)),
        "time": Field(("duration",)),
        "event": Field(("status",), words=("alive", "died")),
    }


def test_a_length_is_not_taken_for_the_prediction() -> None:
    steps = [[[-0.5, -1.0], [-0.25, -1.5]]] * 3
    arrays = {"pred": steps, "target": [[1], [1], [1]], "pred_length": [2, 1, 2], "target_length": [1, 1, 1]}
    found = assign(open_memory(arrays), parse_specs("ctc")).calls[0].fields
    assert {role: field.columns for role, field in found.items()} == {role: (role,) for role in arrays}


def test_lengths_are_left_out_where_there_are_none() -> None:
    arrays = {"log_probs": [[[-0.5, -1.0], [-0.25, -1.5]]] * 3, "target": [[1], [1], [1]]}
    found = assign(open_memory(arrays), parse_specs("ctc"), {"pred": ["log_probs"]}).calls[0].fields
    assert list(found) == ["pred", "target"]
