"""TaskFlow sidecar: a local backend for Electron apps."""

__version__ = "0.1.0"
