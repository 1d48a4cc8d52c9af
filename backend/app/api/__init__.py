"""HTTP: thin controllers and what they share."""
