"""What happens when there is more of everything: 10, 100 and 1,000 groups, in an empty and in a full database.

The same work each time, spread over the groups: what costs more in more of them, or in a full database,
grows with something that it should not look at. `python -m benchmarks growth` runs it (run.py).
"""
