"""The detectors that égide ships: each one short file that joins a capability to the pipeline."""
