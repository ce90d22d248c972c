"""What must be true of the model: one predicate a claim, tried by several methods."""
