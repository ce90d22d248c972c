"""What a person reads and what a script reads of each answer."""
