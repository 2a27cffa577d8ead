"""Model hubs: what model files, sidecars and listings say, and whom they are of."""
