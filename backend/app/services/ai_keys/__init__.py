"""Keys of AI providers: who has which, and whether they work."""
