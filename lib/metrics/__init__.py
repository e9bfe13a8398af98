"""What images are worth: one file per metric, arrays in, numbers out."""
