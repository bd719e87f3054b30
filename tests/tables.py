"""The tables of docs/peers.md and docs/precision.md, measured: ``python -m tests.tables`` writes them.

Each stands between two comments of its page. They say how far ours is from each library's own number, and how far ours
and theirs are from the true loss. Numbers are rounded up to steps, so that a table is the same on every machine.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy

from losscli.errors import UsageError
from losscli.loss import BoundLoss, Scope
from losscli.peers.compat import counterpart
from losscli.registry import losses, parse_spec, peers
from tests import oracle
from tests.console import ROOT
from tests.loss_cases import Datum, evaluate
from tests.peers import UNITS, Unit
from tests.test_losses_accuracy import EVERY, SCALES, is_of_batches
from tests.test_peers import excess, ours

LIBRARIES = ("torch", "keras", "optax", "sklearn")
# Two definitions are the same where ordinary data give the same number to that many digits.
SAME_DEFINITION = 1e-6
ALL_DIGITS = 2.0**52


# --- ours against the libraries' own numbers --------------------------------------------------------------------------


def agreement(unit: Unit) -> tuple[int, float]:
    """How many comparisons a unit has, and the largest difference in units in the last place."""
    worst, compared = 0.0, 0
    for case in unit.cases:
        for reduction in unit.reductions:
            wanted = numpy.atleast_1d(unit.call(reduction, case.roles, case.params))
            got = ours(unit, case, reduction)
            assert got.shape == wanted.shape, (unit.name, dict(case.params), reduction)
            off = [excess(*pair, case.absolute) for pair in zip(got, wanted, strict=True)]
            worst, compared = max(worst, *off), compared + len(off)
    return compared, worst


def agreement_table() -> str:
    """Every loss of another library: ours, how many numbers were compared, the largest difference."""
    lines = ["| name | corresponds to | numbers compared | largest difference in ULP |", "| --- | --- | --: | --: |"]
    for name, peer in peers().items():
        compared, worst = agreement(UNITS[name])
        assert peer.peer is not None
        of = peer.peer.of
        lines.append(f"| `{name}` | [{of}](losses/{of}.md) | {compared:,} | {step(worst)} |")
    return "\n".join(lines)


# --- ours and theirs against the true loss ----------------------------------------------------------------------------


@dataclass
class Errors:
    """How far results are from the true losses, in units in the last place, and whether the definition is the same."""

    ulps: list[float] = field(default_factory=list)
    relative: list[float] = field(default_factory=list)

    def add(self, got: float, true: oracle.mpf, scale: oracle.mpf | None) -> None:
        """Takes one result into account."""
        self.ulps.append(oracle.ulps(got, true, scale=scale))
        size = float(abs(true))
        if 1e-3 < size < 1e3 and math.isfinite(got):
            self.relative.append(abs(got - float(true)) / size)

    @property
    def same_definition(self) -> bool:
        """Whether ordinary results are the same number."""
        return len(self.relative) > 2 and statistics.median(self.relative) < SAME_DEFINITION


def errors_of(name: str) -> tuple[Errors, dict[str, Errors]]:
    """Ours and those of every library that has the loss, on all data of the accuracy tests."""
    own, others = Errors(), {}
    for spec, data in (case.values for case in EVERY):
        bound = parse_spec(spec)
        if bound.name != name or is_of_batches(spec, data):
            continue
        truths = [oracle.value_of(spec, datum) for datum in data]
        scales = [SCALES[name](**{**oracle.own_params(bound), **datum}) if name in SCALES else None for datum in data]
        for got, true, scale in zip(evaluate(spec, data), truths, scales, strict=True):
            own.add(got, true, scale)
        for library in LIBRARIES:
            for k, got in theirs(bound, library, data):
                others.setdefault(library, Errors()).add(got, truths[k], scales[k])
    return own, others


def theirs(bound: BoundLoss, library: str, data: list[Datum]) -> Iterator[tuple[int, float]]:
    """The library's own result for each datum that it takes."""
    try:
        peer = counterpart(bound, library)
    except UsageError:
        return
    unit = UNITS[peer.name]
    if "none" not in unit.reductions or bound.loss.scope is Scope.ALL:
        return
    for k, datum in enumerate(data):
        shared = bound.loss.shared
        roles = {
            role: numpy.asarray(value, dtype=float)[() if role in shared else numpy.newaxis]
            for role, value in datum.items()
        }
        try:
            with numpy.errstate(all="ignore"):
                (got,) = numpy.atleast_1d(unit.call("none", roles, dict(peer.params)))
        except (ValueError, RuntimeError, TypeError, IndexError, KeyError):
            continue
        yield k, float(got)


def precision_table() -> str:
    """Every loss: our largest error and those of the libraries that define it alike."""
    lines = [f"| loss | losscli | {' | '.join(LIBRARIES)} |", f"| --- | --: |{' --: |' * len(LIBRARIES)}"]
    for name in losses():
        own, others = errors_of(name)
        if not own.ulps:
            continue
        cells = [
            step(max(others[library].ulps)) if library in others and others[library].same_definition else ""
            for library in LIBRARIES
        ]
        lines.append(f"| [{name}](losses/{name}.md) | {step(max(own.ulps))} | {' | '.join(cells)} |")
    return "\n".join(lines)


def step(ulps: float) -> str:
    """A difference rounded up: to 1, 2, 4, 8, ... and to powers of ten beyond a thousand.

    Example:
        >>> step(0.0), step(1.2), step(3.0), step(70.0), step(3e9), step(math.inf)
        ('0', '2', '4', '128', '1e10', 'all digits')
    """
    if ulps == 0:
        return "0"
    if not ulps < ALL_DIGITS:
        return "all digits"
    if ulps <= 1024:
        return str(2 ** max(0, math.ceil(math.log2(ulps))))
    return f"1e{math.ceil(math.log10(ulps))}"


# --- pages ------------------------------------------------------------------------------------------------------------

TABLES = {"peers": agreement_table, "precision": precision_table}


def placed(text: str, name: str, table: str) -> str:
    """A page with its table between the comments."""
    return re.sub(
        rf"(?<=<!-- table: {name} -->\n).*?(?=<!-- end of table -->)", lambda _: f"\n{table}\n\n", text, flags=re.S
    )


def rows(name: str) -> dict[str, list[str]]:
    """The table of a page as it stands, by its first cells."""
    text = (ROOT / "docs" / f"{name}.md").read_text()
    found = re.findall(r"^\| [`\[](.+?)[`\]].*\|$", text, re.M)
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| [`\[]", line)]
    return dict(zip(found, cells, strict=True))


def main() -> None:
    """Writes the tables."""
    for name, table in TABLES.items():
        path = ROOT / "docs" / f"{name}.md"
        path.write_text(placed(path.read_text(), name, table()))


if __name__ == "__main__":
    main()
