"""Tests that spawn real processes."""
