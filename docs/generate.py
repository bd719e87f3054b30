"""Writes the pages and pictures that follow from the declarations of the losses: ``python docs/generate.py``.

``--check`` writes nothing and fails where a page differs from what would be written, or a picture was drawn from other
points. Pictures are compared by their points, since their bytes change with each release of matplotlib.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy

from losscli import figures, report
from losscli.figures import Picture
from losscli.registry import losses, parse_specs

DOCS = Path(__file__).parent
FINGERPRINTS = DOCS / "images" / "points.json"
# Pictures of README.md and the guides, beside the one of each loss.
SWEEPS = {
    "huber-sweep": "huber:delta=0.5,huber,huber:delta=2",
    "focal-sweep": "focal:gamma=0,focal:gamma=0.5,focal:gamma=1,focal,focal:gamma=5",
}


def pages() -> dict[Path, str]:
    """The text of every generated page, by its path."""
    found = {DOCS / "losses" / f"{name}.md": report.page(loss, "md") for name, loss in losses().items()}
    found[DOCS / "losses" / "index.md"] = index()
    return found


def index() -> str:
    """The page that lists every loss by family, with a link to its page."""
    text = "# The losses\n\nOne page a loss, as `losscli show NAME` prints it.\n"
    for family in dict.fromkeys(loss.family for loss in losses().values()):
        text += f"\n## {family.capitalize()}\n\n| loss | also called | what it is |\n| --- | --- | --- |\n"
        for name, loss in losses().items():
            if loss.family == family:
                text += f"| [{name}]({name}.md) | {', '.join(loss.aliases)} | {loss.summary} |\n"
    return text


def pictures() -> dict[str, Picture]:
    """The picture of every loss with its usual parameters, and the sweeps, by the name of the file."""
    return {
        name: figures.curves(parse_specs(specs)) for name, specs in ({name: name for name in losses()} | SWEEPS).items()
    }


def fingerprint(picture: Picture) -> str:
    """A digest of the points to six digits and of the words, the same on every machine."""
    digest = hashlib.sha256()
    for panel in picture.panels:
        digest.update(f"{panel.x_label}|{panel.y_label}|{panel.heading}".encode())
        arrays = [array for line in panel.lines for array in (line.x, line.y)]
        if panel.heat is not None:
            arrays.append(panel.heat.values)
        for array in arrays:
            digest.update(" ".join(f"{value:.5e}" for value in numpy.ravel(array).tolist()).encode())
    return digest.hexdigest()[:16]


def write() -> None:
    """Writes every page and every picture."""
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    FINGERPRINTS.parent.mkdir(exist_ok=True)
    drawn = pictures()
    for name, picture in drawn.items():
        with (DOCS / "images" / f"{name}.svg").open("wb") as file:
            figures.save(figures.draw(picture), file, "svg")
    FINGERPRINTS.write_text(
        json.dumps({name: fingerprint(picture) for name, picture in drawn.items()}, indent=2) + "\n"
    )


def stale() -> list[str]:
    """What is missing, out of date or left over, as sentences."""
    expected = pages()
    wrong = [
        f"{path.relative_to(DOCS)} is not what its loss declares"
        for path, text in expected.items()
        if not path.exists() or path.read_text() != text
    ]
    wrong += [
        f"{path.relative_to(DOCS)} has no loss" for path in (DOCS / "losses").glob("*.md") if path not in expected
    ]
    recorded = json.loads(FINGERPRINTS.read_text()) if FINGERPRINTS.exists() else {}
    for name, picture in pictures().items():
        if recorded.get(name) != fingerprint(picture) or not (DOCS / "images" / f"{name}.svg").exists():
            wrong.append(f"images/{name}.svg was drawn from other points")
    return wrong


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        found = stale()
        print("\n".join(found) or "the generated pages and pictures are fresh")
        sys.exit(1 if found else 0)
    write()
