"""Bytes of files and standard input, unpacked, with every failure as one InputError.

Binary content is refused on sight of its first bytes, before the rest is read.
"""

import gzip
import io
import sys
import zlib
from pathlib import Path
from typing import BinaryIO

from model.errors import InputError

MAX_BYTES = 2 << 30  # of one file, unpacked
STANDARD_INPUT = "-"
_GZIP = b"\x1f\x8b"
_HEAD = 1 << 16


def read_text_source(path: str | Path) -> bytes:
    """The content of a text file, gunzipped if need be; `-` is standard input.

    Raises InputError when there is no such file, it is a folder or may not be read, it is
    larger than MAX_BYTES, or its beginning is binary.
    """
    if str(path) == STANDARD_INPUT:
        return _read(sys.stdin.buffer, STANDARD_INPUT)
    return read_path(Path(path), str(path))


def read_path(path: Path, label: str) -> bytes:
    """The content of a file, under the name that errors shall give it."""
    try:
        with path.open("rb") as file:
            return _read(file, label)
    except OSError as error:
        raise access_error(error, label) from None


def unpacked(data: bytes, label: str) -> bytes:
    """The bytes, gunzipped if they are gzip's. Raises InputError as `read_text_source` does."""
    return _read(io.BytesIO(data), label)


def access_error(error: OSError, label: str) -> InputError:
    """A failure of the operating system as one line."""
    if isinstance(error, FileNotFoundError):
        return InputError(label, 0, "no such file or folder")
    if isinstance(error, IsADirectoryError):
        return InputError(label, 0, "is a folder; a file is expected")
    return InputError(label, 0, (error.strerror or str(error)).lower())


def _read(file: BinaryIO, label: str) -> bytes:
    head = file.read(_HEAD)
    if head.startswith(_GZIP):
        head += file.read(MAX_BYTES)
        return _gunzip(head, label)
    _refuse_binary(head, label)
    # Nothing is joined for files that end here, as nearly all do.
    rest = file.read(MAX_BYTES - len(head) + 1) if len(head) == _HEAD else b""
    return _within_limit(head + rest if rest else head, label)


def _gunzip(data: bytes, label: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            head = file.read(_HEAD)
            _refuse_binary(head, label)
            return _within_limit(head + file.read(MAX_BYTES - len(head) + 1), label)
    except EOFError:
        raise InputError(label, 0, "gzip data is cut off") from None
    except (OSError, zlib.error) as error:
        raise InputError(label, 0, f"gzip data is damaged: {error}") from None


def _refuse_binary(head: bytes, label: str) -> None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(label, 1, "encoded in UTF-16 or UTF-32; UTF-8 is expected")
    nul = head.find(b"\0")
    if nul >= 0:
        line = head.count(b"\n", 0, nul) + 1
        raise InputError(label, line, "binary (a zero byte); text is expected")


def _within_limit(data: bytes, label: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise InputError(label, 0, f"larger than {MAX_BYTES >> 30} GiB")
    return data
