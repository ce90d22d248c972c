"""The nftables dialect: listings of nft, as text or JSON, become one abstract syntax."""
