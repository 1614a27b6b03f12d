"""The machine: configurations and their steps, ways to the end, whole steps at once."""
