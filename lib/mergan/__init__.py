"""MeRGAN: Memory Replay GANs (Wu et al., NeurIPS 2018), with the paper's baselines."""
