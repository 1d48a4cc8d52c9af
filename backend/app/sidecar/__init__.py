"""The life of one process: handshake, socket, gate, start-up, stop."""
