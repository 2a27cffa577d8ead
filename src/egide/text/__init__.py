"""Reads text: undoes disguises, finds who asks for what to be done to whom, explains itself."""
