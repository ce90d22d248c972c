"""All packets at once: the packet space cut into cells, and walked through the rules."""
