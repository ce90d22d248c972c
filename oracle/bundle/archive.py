"""The files within a tar or zip archive, read into memory and never written to disk."""

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import IO

from model.errors import InputError

MAX_UNPACKED_BYTES = 2 << 30  # of all members together, wanted or not
MAX_MEMBERS = 200_000


def archive_files(data: IO[bytes], label: str, is_wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Path to content of the members that `is_wanted`, by their path below the top folder.

    A folder that holds everything else is taken off the paths. Raises InputError for what
    is no archive or a damaged one, for a member that would leave the archive, for a wanted
    member that is no plain file, and beyond MAX_UNPACKED_BYTES or MAX_MEMBERS.
    """
    start = data.read(4)
    data.seek(0)
    read = _zip_files if start == b"PK\x03\x04" else _tar_files
    files: dict[str, bytes] = {}
    try:
        for path, content in read(data, label, is_wanted):
            files[path] = content
    except (tarfile.TarError, zipfile.BadZipFile) as error:
        what = "is neither a folder nor a tar or zip archive" if not files else f"archive is damaged: {error}"
        raise InputError(label, 0, what) from None
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise InputError(label, 0, f"archive is damaged: {error}") from None
    except (NotImplementedError, RuntimeError) as error:  # zip: unknown compression, encryption
        raise InputError(label, 0, f"archive cannot be read: {error}") from None
    return _below_top_folder(files)


def _tar_files(data: IO[bytes], label: str, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    count = total = 0
    with tarfile.open(fileobj=data, mode="r:*") as archive:
        for member in archive:
            count, total = count + 1, total + member.size
            _check_size(count, total, label)
            path = _inner_path(member.name, label)
            if path is None or member.isdir() or not is_wanted(path):
                continue
            content = archive.extractfile(member) if member.isreg() else None
            if content is None:
                raise InputError(label, 0, f"{path} is a link or device; a plain file is expected")
            with content:
                yield path, content.read()


def _zip_files(data: IO[bytes], label: str, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    total = 0
    with zipfile.ZipFile(data) as archive:
        for count, member in enumerate(archive.infolist(), 1):
            total += member.file_size
            _check_size(count, total, label)
            path = _inner_path(member.filename, label)
            if path is None or member.is_dir() or not is_wanted(path):
                continue
            if (member.external_attr >> 16) & 0o170000 == 0o120000:
                raise InputError(label, 0, f"{path} is a link or device; a plain file is expected")
            with archive.open(member) as content:
                yield path, content.read(member.file_size)


def _check_size(count: int, total: int, label: str) -> None:
    if total > MAX_UNPACKED_BYTES:
        raise InputError(label, 0, f"archive unpacks to more than {MAX_UNPACKED_BYTES >> 30} GiB")
    if count > MAX_MEMBERS:
        raise InputError(label, 0, f"archive has more than {MAX_MEMBERS} members")


def _inner_path(name: str, label: str) -> str | None:
    """The member's path within the archive; None for what archivers add on their own."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name.partition("/")[0]:
        raise InputError(label, 0, f"member {name!r} would leave the archive")
    if "__MACOSX" in path.parts or path.name.startswith("."):
        return None
    return path.as_posix()


def _below_top_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    while files:
        tops = {path.partition("/")[0] for path in files}
        if len(tops) > 1 or tops == {"nodes"} or any("/" not in path for path in files):
            break
        files = {path.partition("/")[2]: content for path, content in files.items()}
    return files


def in_memory(data: bytes) -> IO[bytes]:
    """Bytes as a file that can be sought."""
    return io.BytesIO(data)
