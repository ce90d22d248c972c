"""Claims put to a solver: for all packets, for all states, or as far as a bound reaches."""
