"""Implementations that speak the judge's protocol, to be copied from and to be judged by tests."""
