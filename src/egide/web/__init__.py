"""The service: HTTP in front of the scanner, the banks and what is remembered."""
