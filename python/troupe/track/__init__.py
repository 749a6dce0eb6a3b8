"""A run's records to other trackers: `python -m troupe track wandb RUN`."""
