"""The user's own data under a curve: errors, probabilities or distances, counted in bounded memory."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from losscli._lazy import numpy, torch
from losscli.cli.terminal import Talk
from losscli.errors import DataError, UsageError, shown
from losscli.inputs import Inputs, open_inputs
from losscli.loss import BoundLoss, Slice

if TYPE_CHECKING:
    from losscli.figures import Picture

BINS = 60


class Positions:
    """Where the data of a file lie on the horizontal axis of a loss's picture.

    Args:
        path: the file.
        bound: the loss.
        roles: column selectors of the roles that were given.
        talk: is told which columns were chosen.
        predictions: the axis holds predictions instead of errors.

    Raises:
        UsageError: the picture of the loss has no single axis, or the columns are not clear.
    """

    def __init__(
        self, path: str, bound: BoundLoss, roles: Mapping[str, list[str]], talk: Talk, *, predictions: bool = False
    ) -> None:
        self._predictions = predictions
        self._opened = open_inputs(Inputs(path, dict(roles)), [bound])
        self._call = self._opened.calls[0]
        if len(self._opened.calls) > 1:
            found = [call.pred for call in self._opened.calls if call.pred is not None]
            raise UsageError(
                f"{path} has {len(found)} predictions, and one is laid under a curve: {', '.join(map(shown, found))}",
                hint=f"say which one: -p {found[0]}.",
            )
        self._bound = bound
        matrix = self._bound.loss.curve == "probability" and self._call.fields["pred"].matrix
        if self._bound.loss.curve == "distances" or matrix:
            raise UsageError(
                f"--data cannot be laid under the picture of {bound.name}: a datum is not one number there"
            )
        for note in self._opened.notes:
            talk.say(note)

    def extent(self) -> tuple[float, float]:
        """The least and the largest position.

        Raises:
            DataError: there is none.
        """
        low, high = math.inf, -math.inf
        for values in self._batches():
            if values.size:
                low, high = min(low, float(values.min())), max(high, float(values.max()))
        if low > high:
            raise DataError("every value is missing", file=self._opened.source.name)
        return low, high

    def lay_under(self, picture: Picture) -> Picture:
        """The picture with a histogram of the data; what lies outside its axis is counted in the legend."""
        from losscli.figures import with_data

        low, high = picture.panels[0].x_limits
        least, most = self.extent()
        edges = numpy.linspace(low, high, BINS + 1)
        outer = [*([least] if least < low else []), *edges.tolist(), *([most] if most > high else [])]
        counts = numpy.zeros(len(outer) - 1, dtype=numpy.int64)
        for values in self._batches():
            counts += numpy.histogram(values, bins=outer)[0]
        return with_data(picture, outer, counts.astype(float), label=os.path.basename(self._opened.source.name))

    def _batches(self) -> Iterator[Any]:
        call, curve = self._call, self._bound.curve
        if isinstance(curve, Slice):
            raise UsageError(
                f"{self._bound.name} is drawn against the {curve.axis}, which no column holds", hint="leave out --data."
            )
        for batch in self._opened.source.read(list(dict.fromkeys(call.fields.values()))):
            values = {role: numpy.asarray(batch.values[field], dtype=float) for role, field in call.fields.items()}
            if curve == "error" and not self._predictions:
                found = values["pred"] - values["target"]
            elif curve in ("error", "probability"):
                found = values["pred"]
            elif "distance" in values:
                found = values["distance"]
            else:
                derived = self._bound.loss.derived["distance"]
                found = derived.function(*(torch.tensor(values[role]) for role in derived.roles)).numpy()
            flat = found.reshape(-1)
            yield flat[~numpy.isnan(flat)]
