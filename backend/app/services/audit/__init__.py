"""The tamper-evident log of what was done with which secret."""
