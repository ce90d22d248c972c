"""One node at several moments: in which order, what was wrong for how long, and what changed."""
