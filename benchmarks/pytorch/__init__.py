"""The same training steps in PyTorch, written plainly, as opponents: `python -m benchmarks --pytorch`.

Networks, costs, batches and optimisers are those of `lib.mergan`, `memorygan` and `lvae`; options are none. Costs are
functions of images and noise, so that tests/benchmarks/test_pytorch.py can hold them against ours.
"""
