"""The model's own distribution given legality, by rejection or sequential Monte Carlo."""
