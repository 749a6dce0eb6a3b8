"""Troupe in Python: environments served to its workers, and policies and runs read back."""

__version__ = "0.1.0"
