"""Measurements against other engines; run from the repository's root."""
