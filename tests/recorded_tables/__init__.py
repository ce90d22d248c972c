"""Replays recorded tables: each case of each table in a folder given by `--recorded`."""
