"""Golden figures of the original programs, and their recomputation with the port."""
