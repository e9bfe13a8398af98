"""How long the steps of the three systems take, and how near that is to what the machine can do.

See benchmarks/README.md.
"""
