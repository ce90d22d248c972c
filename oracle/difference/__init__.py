"""Two sides, rules or contracts: every class of packets that they treat differently, and why."""
