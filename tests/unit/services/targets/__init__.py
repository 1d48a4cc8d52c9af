"""Tests of `app.services.targets`."""
