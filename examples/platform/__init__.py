"""A platform to try the desk with."""
