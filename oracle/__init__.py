"""What a node really does: its dumped rules, read, walked and held against the model."""
