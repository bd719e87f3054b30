"""Pictures of losses: ``curves`` makes the numbers, ``draw`` the ink, ``save`` the file, ``preview`` a terminal's view.

Example:
    >>> from losscli.registry import parse_specs
    >>> picture = curves(parse_specs("huber:delta=0.5,huber"), range=(-2, 2))
    >>> [line.label for line in picture.panels[0].lines]
    ['δ = 0.5', 'δ = 1']
"""

from __future__ import annotations

from losscli.figures.curves import curves
from losscli.figures.ink import draw, save
from losscli.figures.picture import Heat, Histogram, Line, Margin, Panel, Picture, with_data
from losscli.figures.preview import preview

__all__ = ["Heat", "Histogram", "Line", "Margin", "Panel", "Picture", "curves", "draw", "preview", "save", "with_data"]
