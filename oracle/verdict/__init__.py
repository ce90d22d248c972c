"""From a packet that is treated otherwise to a finding: its kind, its lines, its fellows."""
