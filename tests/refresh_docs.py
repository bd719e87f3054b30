"""Runs every command that the documentation shows and writes what it prints below it: ``python -m tests.refresh_docs``.

Read the difference before you commit it: the pages say what is right, this only copies what is.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.console import ROOT, run_in_terminal
from tests.test_docs import COMMAND, PAGES


def refreshed(block: re.Match[str], folder: Path) -> str:
    """The block with the output of each of its commands; one that ends in three dots stays as it is."""

    def shown(part: re.Match[str]) -> str:
        command = part.group(1)
        if "\n..." in f"\n{part.group(2)}":
            return part.group(0)
        printed, _ = run_in_terminal(command, folder)
        gap = "\n" if part.group(2).endswith("\n\n") else ""
        return f"$ {command}\n{printed}\n{gap}" if printed else f"$ {command}\n{gap}"

    return re.sub(COMMAND, shown, block.group(), flags=re.M)


def main(pages: list[Path]) -> None:
    """Refreshes the pages."""
    for page in pages:
        with tempfile.TemporaryDirectory() as name:
            shutil.copytree(ROOT / "sample_data", Path(name) / "sample_data")
            folder = Path(name)
            text = page.read_text()
            block = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.M | re.S)
            new = block.sub(partial(refreshed, folder=folder), text)
        if new != text:
            page.write_text(new)
            print(page.relative_to(ROOT))


if __name__ == "__main__":
    main([Path(name).resolve() for name in sys.argv[1:]] or PAGES)
