"""A listing of nft tells by its first character which form it has."""

from oracle.dialects.nftables.json_form import parse_json
from oracle.dialects.nftables.syntax import Dump
from oracle.dialects.nftables.text import parse_text


def parse_nftables(data: bytes, file: str) -> Dump:
    """What a listing in text or JSON says.

    Raises InputError with file, place and fault when the data is neither, or not whole.
    """
    is_json = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
    return parse_json(data, file) if is_json else parse_text(data, file)
