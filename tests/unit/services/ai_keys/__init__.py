"""Tests of `app.services.ai_keys`."""
