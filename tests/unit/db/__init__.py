"""Tests of `app.db`."""
