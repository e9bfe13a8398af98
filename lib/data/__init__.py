"""Reading, verifying, splitting and ordering of data sets: uint8 images and int32 labels in, batches out."""
