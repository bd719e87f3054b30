"""The tables of the documentation are complete, and what they say is still so."""

from __future__ import annotations

import math

import pytest

from losscli.registry import losses, peers
from tests import tables
from tests.peers import UNITS


def test_the_table_of_libraries_has_every_loss_and_what_it_corresponds_to() -> None:
    found = {name: cells[1].partition("]")[0].strip("[") for name, cells in tables.rows("peers").items()}
    assert found == {name: peer.peer.of for name, peer in peers().items()}


def test_the_table_of_precision_has_every_loss_with_data() -> None:
    named = {case.values[0].partition(":")[0] for case in tables.EVERY}
    missing = {name for name in losses() if any(each.startswith(name) for each in named)} - set(
        tables.rows("precision")
    )
    of_batches = {case.values[0].partition(":")[0] for case in tables.EVERY if tables.is_of_batches(*case.values)}
    assert missing <= of_batches


def bound(shown: str) -> float:
    return math.inf if shown == "all digits" else float(shown)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(UNITS))
def test_no_library_is_farther_away_than_shown(name: str) -> None:
    compared, worst = tables.agreement(UNITS[name])
    cells = tables.rows("peers")[name]
    assert cells[2] == f"{compared:,}"
    # Another processor may round a library's own sums otherwise.
    assert worst <= 4 * bound(cells[3]) + 4


def test_differences_are_rounded_up() -> None:
    assert [tables.step(x) for x in (0, 0.4, 1, 1.1, 1000, 1025, 2.1e9, 1e16, math.nan)] == [
        *("0", "1", "1", "2", "1024", "1e4", "1e10", "all digits", "all digits"),
    ]
