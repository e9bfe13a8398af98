"""Layers: Keras layers with the initialisers, names and normalisations of the original programs."""
