"""How fast the library is against its peers and against the machine: `python -m benchmarks`.

Every contender runs in a process of its own, and blocks of their work alternate, so that a change
of the machine's speed meets all alike.  What differs from the library's way is a contender's only
difference: networks, sizes, batches and inputs are the same.
"""
