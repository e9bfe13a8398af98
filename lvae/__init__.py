"""Lifelong VAE: a student that learns one distribution after another and a teacher that reminds it of the old ones."""
