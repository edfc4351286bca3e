"""Speed of the library against its peers and against the machine: `python -m benchmarks`.

Every contender runs in its own process, and blocks of their work alternate, so that a change of the
machine's speed affects all equally.  Contenders have the same networks, sizes, batches and inputs.
"""
