"""Training beside plain torch."""
