from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy
import pytest

from losscli.readers import arrays, open_source
from losscli.readers.source import Field
from tests.readers.reading import everything, problem, write

VALUES = numpy.array([0.5, -1.25, 3e300, 5e-324, numpy.nan])


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    numpy.save(stream, array, **options)
    return stream.getvalue()


def headed(header: str, body: bytes = b"") -> bytes:
    """A file with that header; the format is documented in numpy.lib.format."""
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def test_an_array_is_one_column_named_after_the_file(folder: Path) -> None:
    write(folder, "p.npy", npy(VALUES))
    source = open_source("p.npy")
    assert [(column.key, column.name, column.file, column.shape) for column in source.columns] == [
        ("p", "p", "p.npy", ())
    ]
    assert source.rows == 5
    assert everything(source, chunk_rows=2)[1]["p"].tobytes() == VALUES.tobytes()


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f2", ">f8", "<i4", ">i2", "|u1", "|b1", "<i8", "<u8"])
def test_every_numeric_type_gives_the_same_numbers(folder: Path, dtype: str) -> None:
    values = numpy.array([0, 1, 1, 0, 1]).astype(dtype)
    write(folder, "p.npy", npy(values))
    found = everything(open_source("p.npy"), chunk_rows=2)[1]["p"]
    assert found.tolist() == [0, 1, 1, 0, 1]
    assert found.dtype == (numpy.float32 if dtype.endswith("f4") else numpy.float64)
    assert found.dtype.isnative


def test_fortran_order_gives_the_same_bits(folder: Path) -> None:
    matrix = numpy.random.default_rng(0).normal(size=(7, 3))
    write(folder, "p.npy", npy(numpy.asfortranarray(matrix)))
    found = everything(open_source("p.npy"), chunk_rows=2)[1]["p"]
    assert found.tobytes() == matrix.tobytes()


def test_batches_are_views_of_the_mapped_file(folder: Path) -> None:
    write(folder, "p.npy", npy(VALUES))
    batches = list(open_source("p.npy").read([Field(("p",))], chunk_rows=2))
    assert all(not batch.values[Field(("p",))].flags.owndata for batch in batches)


def test_data_of_several_axes_are_vectors(folder: Path) -> None:
    write(folder, "p.npy", npy(numpy.arange(24.0).reshape(2, 3, 4)))
    source = open_source("p.npy")
    assert (source.columns[0].kind, source.columns[0].shape) == ("vector", (3, 4))
    assert everything(source)[1]["p"].shape == (2, 3, 4)
    assert everything(source, [], ["p"])[2]["p"] == numpy.arange(24.0).reshape(2, 3, 4).tolist()


def test_whole_numbers_that_float64_lacks_are_refused(folder: Path) -> None:
    write(folder, "p.npy", npy(numpy.array([1, 2**53, 2**60, 2**53 + 1])))
    message = 'p.npy, row 4, column "p": 9007199254740993 has no exact 64-bit float (whole numbers up to 2^53 do).'
    assert problem("p.npy") == message
    assert everything(open_source("p.npy"), [], ["p"])[2]["p"][3] == 2**53 + 1


REFUSED = {
    "cut": (npy(VALUES)[:-1], "the header says 5 float64, 168 bytes in all, but there are 167: the file is cut."),
    "bytes to spare": (
        npy(VALUES) + b"x",
        "the header says 5 float64, 168 bytes in all, but there are 169: there are bytes to spare.",
    ),
    "claims a lot": (
        headed("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"),
        "the header says 1000000000000000 float64, 8,000,000,000,000,128 bytes in all, "
        "but there are 128: the file is cut.",
    ),
    "objects": (
        npy(numpy.array([{}, None], dtype=object), allow_pickle=True),
        'the array holds Python objects ("object"), not numbers.',
    ),
    "complex": (npy(VALUES + 1j), 'the array holds complex numbers ("complex128"), not numbers.'),
    "dates": (npy(numpy.array(["2020-01-01"], dtype="M8[D]")), 'the array holds dates ("datetime64[D]"), not numbers.'),
    "structured": (
        npy(numpy.zeros(3, dtype=[("a", "f8")])),
        "the array holds records of several fields (\"[('a', '<f8')]\"), not numbers.",
    ),
    "no axis": (npy(numpy.float64(3)), "the array is a single number, not one a datum."),
    "empty": (npy(numpy.empty(0)), "0 rows."),
    "no npy": (b"hello", "this is not .npy data, or its header is damaged."),
    "negative": (
        headed("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"),
        "this is not .npy data, or its header is damaged.",
    ),
    "code": (
        headed("{'descr': '<f8', 'fortran_order': False, 'shape': (print(1),), }"),
        "this is not .npy data, or its header is damaged.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_array_of_numbers_is_refused_when_opened(folder: Path, what: str) -> None:
    data, message = REFUSED[what]
    write(folder, "p.npy", data)
    assert problem("p.npy") == f"p.npy: {message}"


def test_words_in_arrays_are_classes(folder: Path) -> None:
    write(folder, "p.npy", npy(numpy.array(["dog", "cat", "dog"])))
    source = open_source("p.npy")
    assert source.columns[0].kind == "text"
    assert everything(source, [Field(("p",), words=("cat", "dog"))])[1]["p"].tolist() == [1, 0, 1]


# --- npz --------------------------------------------------------------------------------------------------------------


def npz(folder: Path, **arrays: Any) -> None:
    numpy.savez(folder / "x.npz", **arrays)


@pytest.mark.parametrize("save", [numpy.savez, numpy.savez_compressed])
def test_every_member_is_a_column(folder: Path, save: Any) -> None:
    save(folder / "x.npz", pred=VALUES, target=numpy.arange(5, dtype="<f4"), logits=numpy.ones((5, 3)))
    source = open_source("x.npz")
    assert [(column.key, column.shape) for column in source.columns] == [("pred", ()), ("target", ()), ("logits", (3,))]
    rows, values, _ = everything(source, chunk_rows=2)
    assert rows == [1, 2, 3, 4, 5]
    assert values["pred"].tobytes() == VALUES.tobytes()
    assert values["target"].dtype == numpy.float32
    assert values["logits"].tolist() == numpy.ones((5, 3)).tolist()


def test_lengths_must_agree(folder: Path) -> None:
    npz(folder, pred=VALUES, target=VALUES[:3])
    assert problem("x.npz") == 'x.npz: "pred" has 5 rows, but "target" has 3.'
    assert open_source("x.npz").rows is None
    npz(folder, pred=VALUES, target=VALUES)
    assert open_source("x.npz").rows == 5


@pytest.mark.parametrize("save", [numpy.savez, numpy.savez_compressed])
def test_members_that_nobody_reads_do_not_matter(folder: Path, save: Any) -> None:
    names = numpy.array([None, "cat"], dtype=object)
    save(folder / "x.npz", epoch=numpy.int64(3), pred=VALUES, names=names, target=VALUES, history=numpy.ones(2))
    source = open_source("x.npz")
    assert [(column.key, column.kind) for column in source.columns] == [
        ("epoch", "other"),
        ("pred", "number"),
        ("names", "other"),
        ("target", "number"),
        ("history", "other"),
    ]
    rows, values, _ = everything(source, ["pred", "target"], chunk_rows=2)
    assert rows == [1, 2, 3, 4, 5]
    assert values["target"].tobytes() == VALUES.tobytes()
    for key, message in {
        "epoch": 'x.npz, column "epoch": the array is a single number, not one a datum.',
        "names": 'x.npz, column "names": the array holds Python objects ("object"), not numbers.',
        "history": 'x.npz: "pred" has 5 rows, but "history" has 2.',
    }.items():
        assert problem("x.npz", fields=["pred", key]) == message
    assert everything(source, ["history"])[0] == [1, 2]


def archive(folder: Path, *members: tuple[str, bytes], compress: bool = False) -> None:
    with zipfile.ZipFile(folder / "x.npz", "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as stream:
        for name, data in members:
            stream.writestr(name, data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_repeated_or_foreign_member_is_refused(folder: Path) -> None:
    archive(folder, ("p.npy", npy(VALUES)), ("p.npy", npy(VALUES)))
    assert problem("x.npz") == 'x.npz: the archive holds "p.npy" 2 times.'
    archive(folder, ("p.npy", npy(VALUES)), ("readme.txt", b"hello"))
    assert problem("x.npz") == 'x.npz: the archive holds "readme.txt", which is no array.'


def test_members_that_overlap_are_refused(folder: Path) -> None:
    """Small archives that claim the same bytes many times unpack to huge ones."""
    archive(folder, ("a.npy", npy(VALUES)), ("b.npy", npy(VALUES)))
    data = (folder / "x.npz").read_bytes()
    directory = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    starts = [data.rindex(b"PK\x03\x04") - len("b.npy") - 1, 0]
    for start in starts:
        write(folder, "x.npz", data[: directory + 42] + struct.pack("<I", start) + data[directory + 46 :])
        assert problem("x.npz") == "x.npz: members of the archive overlap."


def test_small_arrays_may_shrink_as_much_as_they_like(folder: Path) -> None:
    zeros = numpy.zeros(200_000)
    numpy.savez_compressed(folder / "x.npz", p=zeros)
    assert (folder / "x.npz").stat().st_size < zeros.nbytes / 800
    assert everything(open_source("x.npz"))[1]["p"].tolist() == zeros.tolist()


def test_pickled_objects_in_an_archive_are_refused(folder: Path) -> None:
    archive(folder, ("p.npy", npy(numpy.array([None], dtype=object), allow_pickle=True)))
    assert problem("x.npz") == 'x.npz, column "p": the array holds Python objects ("object"), not numbers.'


@pytest.mark.parametrize("compress", [False, True])
def test_a_changed_byte_in_an_archive_is_noticed(folder: Path, compress: bool) -> None:
    archive(folder, ("p.npy", npy(numpy.arange(1000.0))), compress=compress)
    data = bytearray((folder / "x.npz").read_bytes())
    data[600] ^= 1
    write(folder, "x.npz", bytes(data))
    message = "the archive is damaged, cut or encrypted." if compress else "damaged: it does not match its checksum."
    assert problem("x.npz").endswith(message)
    write(folder, "x.npz", bytes(data[:-30]))
    assert problem("x.npz") == "x.npz: the archive is damaged, cut or encrypted."


def test_a_bomb_is_refused_before_it_is_unpacked(folder: Path) -> None:
    header = headed("{'descr': '|u1', 'fortran_order': False, 'shape': (6000000000,), }")
    archive(folder, ("p.npy", header), compress=True)
    data = (folder / "x.npz").read_bytes()
    claimed = struct.pack("<I", 6_000_000_128 % 2**32)
    real = struct.pack("<I", len(header))
    write(folder, "x.npz", data.replace(real, claimed))
    assert 'x.npz: "p.npy" would grow from' in problem("x.npz")


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells what is mapped in")
def test_rows_that_are_behind_are_not_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "KEPT_BYTES", 1 << 18)
    path = tmp_path / "large.npy"
    numpy.save(path, numpy.arange(2_000_000, dtype=numpy.float64))
    source = open_source(str(path))
    field = Field((source.columns[0].key,))
    for _ in range(2):
        total = sum(float(batch.values[field].sum()) for batch in source.read([field], chunk_rows=10_000))
        assert total == 2_000_000 * 1_999_999 / 2
        assert mapped_in(path) < 2**20


def mapped_in(path: Path) -> int:
    """How many bytes of a file are mapped into this process's memory."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    starts = [number for number, line in enumerate(lines) if line.endswith(str(path))]
    sizes = [next(line for line in lines[start:] if line.startswith("Rss:")) for start in starts]
    assert sizes
    return sum(int(size.split()[1]) * 1024 for size in sizes)


def test_an_archive_begins_where_its_file_does(folder: Path) -> None:
    """As for NumPy, which takes what begins with anything else for a pickle."""
    npz(folder, pred=VALUES)
    write(folder, "x.npz", b"#!/bin/sh\n" + (folder / "x.npz").read_bytes())
    assert problem("x.npz") == "x.npz: 10 bytes stand before the archive."
    with pytest.raises(ValueError, match="pickled"):
        numpy.load(folder / "x.npz")


def test_columns_are_in_the_order_of_the_directory(folder: Path) -> None:
    """As NumPy lists them, wherever their bytes are."""
    with zipfile.ZipFile(folder / "x.npz", "w") as stream:
        for name in ("a.npy", "b.npy", "c.npy"):
            stream.writestr(name, npy(VALUES))
        stream.filelist.reverse()
    assert [column.key for column in open_source("x.npz").columns] == ["c", "b", "a"] == numpy.load("x.npz").files
