"""Is a trace right, and if not, where does it fail: grammar, contracts and answer apart."""
