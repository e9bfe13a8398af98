"""Classifiers that judge images and give metrics their features: networks, how they are trained, and where kept."""
