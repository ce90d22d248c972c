"""What the API server does with Services and with the objects that describe endpoints."""
