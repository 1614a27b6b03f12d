"""One sequence on its way: its matcher, its budget, and ways to its end."""
