"""What must be true of Services: each claim written once, tried by several methods."""
