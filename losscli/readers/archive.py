"""NumPy's ``.npz``: every member is an array, mapped where it is stored plainly, else unpacked to a temporary file."""

from __future__ import annotations

import shutil
import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from losscli._lazy import numpy
from losscli.errors import DataError, shown
from losscli.readers.arrays import ArrayTable, Header, Unsuited, check_length, describe_array, mapped, read_header
from losscli.readers.source import Batch, Column, ReadOptions
from losscli.readers.spool import BLOCK, Spool
from losscli.readers.table import BatchMaker

LOCAL_HEADER = struct.Struct("<4s2B4HL2L2H")
# Deflate cannot do better than this.
LARGEST_RATIO = 1_032
BOMB_RATIO = 200
# A name that is no UTF-8 is damage like any other.
DAMAGE = (
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, struct.error),
    UnicodeDecodeError,
)
BOMB_SIZE = 4 << 30


class NpzSource(ArrayTable):
    """A ``.npz`` archive, each member a column.

    Args:
        spool: the file.
        name: what the user calls it.
        options: the words for missing values, where arrays hold words.

    Raises:
        DataError: it is damaged, holds something that is no array, or no array that can be a column.
    """

    def __init__(self, spool: Spool, name: str, options: ReadOptions) -> None:
        self._spool = spool
        self._unpacked: dict[str, Spool] = {}
        self._unsuited: dict[str, Unsuited] = {}
        try:
            with spool.open() as stream, zipfile.ZipFile(stream) as archive:
                members = self._checked(archive)
                headers = self._headers(archive, members)
                arrays = {key: self._array(archive, key, members[key], header) for key, header in headers.items()}
        except DAMAGE as error:
            raise DataError("the archive is damaged, cut or encrypted", file=spool.name) from error
        super().__init__(name, "npz", options, arrays)
        lengths = Counter(len(array) for array in arrays.values()).most_common()
        self._usual = lengths[0][0]
        self.rows = self._usual if len(lengths) == 1 else None
        # Two lengths that are equally common leave open which of them is that of the data.
        odd = {length for length, times in lengths if times < lengths[0][1]}
        self.columns = tuple(
            Column(key, key, spool.name, "other")
            if key in self._unsuited or len(arrays[key]) in odd
            else describe_array(key, key, spool.name, arrays[key])
            for key in members
        )
        self._sums = {
            key: (members[key], headers[key]) for key in headers if members[key].compress_type == zipfile.ZIP_STORED
        }

    def batches(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        """See ``Table.batches``. The members that are mapped have their checksums verified first."""
        self._rows_of(maker.keys)
        for key in maker.keys:
            if key in self._sums:
                self._verify(key, *self._sums.pop(key))
        yield from super().batches(maker, chunk_rows)

    def _checked(self, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
        infos = archive.infolist()
        file = self._spool.name
        if not infos:
            raise DataError("0 rows: the archive is empty", file=file)
        for member, times in Counter(info.filename for info in infos).items():
            if times > 1:
                raise DataError(f"the archive holds {shown(member)} {times} times", file=file)
            if not member.endswith(".npy"):
                raise DataError(f"the archive holds {shown(member)}, which is no array", file=file)
        by_place = sorted(infos, key=lambda info: info.header_offset)
        # Programs that unpack themselves have some, arrays have not: NumPy would take it for something else.
        before = by_place[0].header_offset
        if before:
            raise DataError(f"{before:,} bytes stand before the archive", file=file)
        end = 0
        for info in by_place:
            if info.header_offset < end:
                raise DataError("members of the archive overlap", file=file)
            end = info.header_offset + LOCAL_HEADER.size + info.compress_size
            bomb = info.file_size > BOMB_SIZE and info.file_size > BOMB_RATIO * info.compress_size
            if bomb or info.file_size > LARGEST_RATIO * (info.compress_size + BLOCK):
                raise DataError(
                    f"{shown(info.filename)} would grow from {info.compress_size:,} to {info.file_size:,} bytes",
                    file=file,
                    hint="if that is right, save it with numpy.savez, which does not compress.",
                )
        return {info.filename.removesuffix(".npy"): info for info in infos}

    def _header(self, archive: zipfile.ZipFile, key: str, info: zipfile.ZipInfo) -> Header:
        with archive.open(info) as member:
            header = read_header(member, self._spool.name, key)  # type: ignore[arg-type]
        check_length(header, info.file_size, self._spool.name, key)
        return header

    def _headers(self, archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> dict[str, Header]:
        """The headers of the members that can be columns; of the others it is kept why they cannot."""
        headers = {}
        for key, info in members.items():
            try:
                headers[key] = self._header(archive, key, info)
            except Unsuited as reason:
                self._unsuited[key] = reason
        if not headers:
            raise next(iter(self._unsuited.values()))
        if not any(header.shape[0] for header in headers.values()):
            raise DataError("0 rows", file=self._spool.name)
        return headers

    def _rows_of(self, keys: Sequence[str]) -> int:
        """See ``ArrayTable``: members that nobody reads do not matter.

        Raises:
            DataError: a member cannot be read, or the members have different lengths.
        """
        for key in keys:
            if key in self._unsuited:
                raise self._unsuited[key]
        lengths = {key: len(self._arrays[key]) for key in keys}
        first = next(iter(lengths), None)
        if first is None:
            return self._usual
        for key, rows in lengths.items():
            if rows != lengths[first]:
                raise DataError(
                    f"{shown(first)} has {lengths[first]:,} rows, but {shown(key)} has {rows:,}", file=self._spool.name
                )
        if lengths[first] == 0:
            raise DataError("0 rows", file=self._spool.name, column=first)
        return lengths[first]

    def _array(self, archive: zipfile.ZipFile, key: str, info: zipfile.ZipInfo, header: Header) -> numpy.ndarray:
        if info.compress_type == zipfile.ZIP_STORED:
            return mapped(self._spool, header, self._data_offset(info))
        if info.file_size > shutil.disk_usage(tempfile.gettempdir()).free:
            raise DataError(
                f"unpacked it takes {info.file_size:,} bytes, more than the disk has free",
                column=key,
                file=self._spool.name,
            )
        with archive.open(info) as member:
            # zipfile verifies the checksum as the last byte is read.
            self._unpacked[key] = Spool.of_stream(self._spool.name, member, at_most=info.file_size)  # type: ignore[arg-type]
        check_length(header, self._unpacked[key].size, self._spool.name, key)
        return mapped(self._unpacked[key], header, 0)

    def _data_offset(self, info: zipfile.ZipInfo) -> int:
        """Where a member's bytes start: the local header's name may differ in length from the directory's."""
        with self._spool.open() as stream:
            stream.seek(info.header_offset)
            fields = LOCAL_HEADER.unpack(stream.read(LOCAL_HEADER.size))
        return int(info.header_offset + LOCAL_HEADER.size + fields[-2] + fields[-1])

    def _verify(self, key: str, info: zipfile.ZipInfo, header: Header) -> None:
        checksum = 0
        left = info.file_size
        with self._spool.open() as stream:
            stream.seek(self._data_offset(info))
            while left and (block := stream.read(min(BLOCK, left))):
                checksum = zlib.crc32(block, checksum)
                left -= len(block)
        if left or checksum != info.CRC:
            raise DataError("the array is damaged: it does not match its checksum", file=self._spool.name, column=key)
