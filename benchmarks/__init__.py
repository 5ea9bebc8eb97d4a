"""How fast, against what, and with the same answer: `python -m benchmarks` (or `make bench`) prints
one table and writes RESULTS.md.
"""
