"""Pictures, tables and pages of a state space."""
