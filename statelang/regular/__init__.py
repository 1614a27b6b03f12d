"""Regular languages by derivatives, over bytes."""
