"""Sealed secrets: keys, rows, rotation, recovery."""
