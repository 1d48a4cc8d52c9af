"""Tests of `app.services.gateway`."""
