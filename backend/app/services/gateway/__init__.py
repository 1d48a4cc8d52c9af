"""The gateway: providers' keys in use, without ever leaving the sidecar."""
