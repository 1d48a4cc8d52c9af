"""Tenants and chat servers: those whom secrets belong to."""
