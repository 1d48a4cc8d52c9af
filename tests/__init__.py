"""Tests: unit mirrors the package, process spawns the real sidecar, e2e drives real desktops."""
