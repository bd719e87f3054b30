"""Matplotlib as losscli needs it: no display, no pyplot, and the same picture whatever the folder and the settings."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from losscli.errors import ResourceError, UsageError, did_you_mean, escape, shown

# Okabe and Ito's colours, told apart by people who see colours differently too; yellow is left out, for it is lost on
# white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# No two neighbours look alike, and with seven colours no pair of colour and dashes returns before the 42nd.
DASHES: tuple[Any, ...] = ("solid", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 1)), (0, (8, 2)))
STYLE_SUFFIX = ".mplstyle"
# Matplotlib's own font has no Chinese, Japanese or Korean; where a machine has one of these, titles may be written so.
OTHER_SCRIPTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans",
    "Malgun Gothic",
)


def _house_style() -> dict[str, Any]:
    from cycler import cycler
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return {
        "axes.axisbelow": True,
        "axes.formatter.use_mathtext": True,
        "axes.grid": True,
        "axes.linewidth": 0.6,
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.dpi": 150,
        "font.family": ["DejaVu Sans", *(name for name in OTHER_SCRIPTS if name in installed)],
        "grid.color": "#d9d9d9",
        "grid.linewidth": 0.4,
        "legend.borderaxespad": 0.4,
        "legend.frameon": False,
        "legend.handlelength": 2.4,
        "lines.linewidth": 1.5,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
    }


# What no style may change: each would need a program, a file or a display that may not be there.
FIXED = {
    "pdf.fonttype": 42,  # publishers refuse Type 3
    "ps.usedistiller": None,
    "svg.fonttype": "path",
    "svg.hashsalt": "losscli",
    "text.usetex": False,
}


def load() -> None:
    """Imports matplotlib without the ``matplotlibrc`` of the current folder, which may hold anything.

    Raises:
        ResourceError: matplotlib's own settings keep it from being imported.
    """
    if "matplotlib" in sys.modules:
        return
    # Matplotlib looks into the current folder first and has no switch for it. Leaving the folder is for this case only,
    # since other threads may be opening files by relative paths.
    elsewhere: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if Path("matplotlibrc").exists():
        elsewhere = contextlib.chdir(Path(__file__).parent)
    with elsewhere, _quiet():
        try:
            importlib.import_module("matplotlib")
        except (ValueError, UnicodeDecodeError) as problem:
            # A notebook names its own backend in the environment, and that may not be installed beside losscli.
            if os.environ.pop("MPLBACKEND", None) is None:
                raise ResourceError(f"matplotlib cannot be used: {escape(str(problem))}") from None
            for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
                del sys.modules[name]
            importlib.import_module("matplotlib")


@contextlib.contextmanager
def settings(style: str | None = None, **sizes: object) -> Iterator[None]:
    """Matplotlib with the house style, and on top of that a style that the user names.

    Args:
        style: the name of a matplotlib style, or the path of a ``.mplstyle`` file.
        **sizes: settings of matplotlib for this picture, with ``_`` for the dots in their names.

    Raises:
        UsageError: there is no such style.
    """
    load()
    import matplotlib.style

    chosen = {name.replace("_", ".", 1): value for name, value in sizes.items()}
    with _quiet(), matplotlib.style.context(["default", _house_style(), chosen, _style(style), FIXED]):
        yield


def _style(style: str | None) -> dict[str, Any] | str:
    import matplotlib.style

    if style is None or style == "default":
        return style or {}
    known = matplotlib.style.library
    if style in known:
        found: Any = known[style]
        return dict(found)
    # A bare name is never a file or a package, so that nothing in the current folder is read unasked.
    if not style.endswith(STYLE_SUFFIX):
        hint = did_you_mean(style, known) or f"name one of matplotlib's styles, or a file that ends in {STYLE_SUFFIX}."
        raise UsageError(f"there is no style {shown(style)}", hint=hint)
    if not Path(style).is_file():
        raise ResourceError(f"{escape(style)}: there is no such file")
    try:
        read: Any = matplotlib.rc_params_from_file(style, use_default_template=False)
    except (OSError, UnicodeDecodeError, ValueError) as problem:
        raise UsageError(f"{escape(style)} is not a style of matplotlib: {escape(str(problem))}") from None
    return {name: read[name] for name in read if name in matplotlib.rcParams and not name.startswith("backend")}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No talk of matplotlib's: of fonts without a glyph, font caches, settings that are not its own."""
    log = logging.getLogger("matplotlib")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
