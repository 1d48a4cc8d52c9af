"""Plaintext secrets of another application, taken over."""
