"""Rule sets as text, the inverse of `oracle.dialects`, and rule sets written from objects.

`write_iptables` and `write_nft` write any rule set that their tools can hold. `rules_for` writes
what a conforming proxy could load for a cluster on one node, in a layout of our own;
`node_files` has them as the files of a bundle.
"""

from oracle.writing.compile import rules_for
from oracle.writing.iptables import write_iptables
from oracle.writing.literals import NotWritableError
from oracle.writing.nft import write_nft
from oracle.writing.node import node_files

__all__ = ["NotWritableError", "node_files", "rules_for", "write_iptables", "write_nft"]
