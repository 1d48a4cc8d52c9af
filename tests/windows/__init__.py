"""The Windows sidecar under Wine, and what other Windows programs do to its files."""
