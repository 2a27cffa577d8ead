"""Measurements of égide beside the peers that do the same work; see `python -m benchmarks --help`.

Every figure in `RESULTS.md` is written from what these scripts measured, the peer in the same run.
Nothing here fails because something was slow: a goal that is missed is reported as missed.
"""
