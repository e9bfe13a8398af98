"""Tests of memoryGAN."""
