"""What everything else stands on: configuration, files and keys, readiness, access, the process itself."""
