"""What it costs: clusters made to size, and rules written without the project's own model."""
