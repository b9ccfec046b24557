"""Training models on the published data. No other app imports this one."""
