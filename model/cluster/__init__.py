"""How a cluster gets from one state to the next: its state, the events, and one step."""
