"""What tells two state spaces apart, and what shows them equal."""
