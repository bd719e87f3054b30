"""Which format a file has: by what the user says, by its suffix, by its first bytes."""

from __future__ import annotations

import re

from losscli.errors import DataError, UsageError, did_you_mean, shown
from losscli.readers.spool import COMPRESSIONS

_PLAIN = {
    ".csv": "csv",
    ".txt": "csv",
    ".dat": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".npy": "npy",
    ".npz": "npz",
}
TEXT = ("csv", "tsv", "jsonl")
SUFFIXES = {
    **_PLAIN,
    **{
        suffix + compression: format
        for suffix, format in _PLAIN.items()
        if format in TEXT
        for compression in COMPRESSIONS
    },
}
FORMATS = tuple(dict.fromkeys(_PLAIN.values()))
MAGIC = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow",
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "npz",
    b"PK\x05\x06": "npz",
}
HEAD = 4096
JSON_ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*[{\[]")
POINTER = b"version https://git-lfs.github.com/spec/"


def format_of(path: str, head: bytes, given: str | None) -> str:
    """The format of a file's (decompressed) content.

    Args:
        path: its name, for the suffix.
        head: its first bytes.
        given: what the user says.

    Raises:
        UsageError: there is no such format.
        DataError: the bytes are not what the suffix says, or a JSON array.

    Example:
        >>> format_of("x.csv.gz", b"a,b", None), format_of("-", b"PAR1", None)
        ('csv', 'parquet')
    """
    if given is not None:
        if given.lower() not in FORMATS:
            raise UsageError(
                f"--input-format {shown(given)} is none of {', '.join(FORMATS)}", hint=did_you_mean(given, FORMATS)
            )
        return given.lower()
    if head.startswith(POINTER):
        raise DataError("this is a git-LFS pointer, not the data", file=path, hint="git lfs pull fetches the data.")
    seen = next((format for magic, format in MAGIC.items() if head.startswith(magic)), None)
    expected = next(
        (SUFFIXES[suffix] for suffix in sorted(SUFFIXES, key=len, reverse=True) if path.lower().endswith(suffix)), None
    )
    if seen is not None and (expected is None or expected in TEXT):
        return seen
    if expected in (None, "jsonl") and JSON_ARRAY.match(head):
        raise DataError(
            "it is a JSON array", file=path, hint="write one object a line (JSON Lines), as jq -c '.[]' does."
        )
    if expected is not None:
        return expected
    return "jsonl" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "csv"


def compression_of(path: str, head: bytes) -> str | None:
    """The suffix of the compression, by the first bytes or else the name.

    Example:
        >>> compression_of("x.csv", bytes([0x1F, 0x8B])), compression_of("x.csv", b"a,b")
        ('.gz', None)
    """
    for suffix, (magic, _) in COMPRESSIONS.items():
        if head.startswith(magic) or path.lower().endswith(suffix):
            return suffix
    return None
