"""What the API server would do with objects that somebody means to write."""
