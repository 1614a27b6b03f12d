"""A first grammar from tagged traces."""
