"""memoryGAN: an unsupervised GAN whose discriminator keeps a memory of clusters (Kim, Kim, Kim, ICLR 2018)."""
