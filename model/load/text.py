"""The documents of a text: JSON objects one after another, or YAML documents.

JSON stays undecoded here (a `memoryview` a document, known to be well formed), so
that large files are decoded once, straight into records; YAML is a tree of plain
Python values. Every fault is an `InputError` with its line.
"""

import re
from typing import Any

import msgspec

from model.errors import InputError
from model.load.yaml_tree import yaml_documents

Document = memoryview | Any

_TRAILING = re.compile(r"trailing characters \(byte (\d+)\)")
_BYTE = re.compile(r" \(byte (\d+)\)")
_JSON_START = re.compile(rb"\s*(?:\{\s*(?:[\"}]|\Z)|\[\s*(?:[\[{\"\]]|\Z))")
# The first line with content of a YAML mapping or list; tables and dumps have none such.
_YAML_START = re.compile(rb"(?:---|%YAML|[\"']?[A-Za-z][\w./-]*[\"']?\s*:(?:\s|\Z)|-\s|\{|\[)")
_YAML_LIMIT = 64 << 20  # bytes; a tree of Python values takes some fifty times as much
_ENCODINGS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


def parse_documents(data: bytes, file: str) -> list[Document]:
    """The documents of a UTF-8 text in JSON or YAML, empty YAML documents left out.

    JSON is told by its first characters, so a flow mapping with bare keys is YAML.
    Raises InputError for an empty, binary or wrongly encoded text, for a text that is
    neither JSON nor YAML, and for JSON or YAML that is malformed or cut off.
    """
    data = check_text(data, file)
    if _JSON_START.match(data):
        return list(_json_documents(data, file))
    first = re.search(rb"^[ \t]*[^\s#].{0,200}", data, re.MULTILINE)
    if first is None:
        raise InputError(file, 0, "holds nothing but comments")
    if not _YAML_START.match(first[0].lstrip()):
        shown = first[0].strip().decode(errors="replace")
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        raise InputError(file, _line(data, first.start()), f"neither JSON nor YAML starts here: {shown!r}")
    if len(data) > _YAML_LIMIT:
        raise InputError(file, 0, f"YAML of more than {_YAML_LIMIT >> 20} MiB; give it as JSON")
    return yaml_documents(data, file)


def check_text(data: bytes, file: str) -> bytes:
    """The text without its byte order mark; raises InputError unless it is non-empty UTF-8."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            raise InputError(file, 1, f"encoded in {encoding}; UTF-8 is expected")
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    if re.search(rb"\S", data) is None:
        raise InputError(file, 0, "is empty")
    nul = data.find(b"\0")
    if nul >= 0:
        raise InputError(file, _line(data, nul), "binary (a zero byte); UTF-8 text is expected")
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as error:
            what = f"not UTF-8 (byte 0x{data[error.start]:02x}); UTF-8 text is expected"
            raise InputError(file, _line(data, error.start), what) from None
    return data


def decode_tree(document: Document, file: str) -> Any:
    """The document as plain Python values, whatever it was written in."""
    if not isinstance(document, memoryview):
        return document
    try:
        return msgspec.json.decode(document)
    except msgspec.DecodeError as error:
        raise json_fault(bytes(document), file, 0, error) from None
    except RecursionError:
        raise InputError(file, 0, "JSON is nested too deeply") from None


def json_fault(data: bytes, file: str, start: int, error: msgspec.DecodeError) -> InputError:
    """A failure to decode the JSON that begins at `start`, with its line and column."""
    text = str(error)
    at = _BYTE.search(text)
    if at is None:
        offset, what = len(data.rstrip()), "JSON ends too early"
    else:
        # Of a character too many the offset is that of the byte after it.
        offset = min(start + int(at[1]) - ("trailing" in text), len(data))
        what = _BYTE.sub("", text)
    column = offset - data.rfind(b"\n", 0, offset)
    return InputError(file, _line(data, offset), f"{what} (column {column})")


def _json_documents(data: bytes, file: str) -> list[memoryview]:
    view, start = memoryview(data), 0
    documents: list[memoryview] = []
    while True:
        rest = view[start:]
        try:
            msgspec.json.decode(rest, type=msgspec.Raw)
        except msgspec.DecodeError as error:
            trailing = _TRAILING.search(str(error))
            if trailing is None:
                raise json_fault(data, file, start, error) from None
            end = start + int(trailing[1]) - 1  # the offset is that of the byte after
            if data[end] not in b"{[":
                raise json_fault(data, file, start, error) from None
            documents.append(view[start:end])
            start = end
        except RecursionError:
            raise InputError(file, _line(data, start), "JSON is nested too deeply") from None
        else:
            return [*documents, rest]


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1
