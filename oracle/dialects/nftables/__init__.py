"""The nftables dialect: listings of nft, as text or JSON, become one abstract syntax."""

from oracle.dialects.nftables.json_form import parse_json
from oracle.dialects.nftables.parse import parse_nftables
from oracle.dialects.nftables.text import parse_text

__all__ = ["parse_json", "parse_nftables", "parse_text"]
