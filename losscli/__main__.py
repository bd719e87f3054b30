"""``python -m losscli``: the same as the command ``losscli``."""

from __future__ import annotations

from losscli.cli import main

if __name__ == "__main__":
    main()
