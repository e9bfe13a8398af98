"""t-SNE: features in, positions in the plane out."""

import numpy as np
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from lib.errors import UserError


def embed(groups: list[np.ndarray]) -> list[np.ndarray]:
    """One common t-SNE of groups of features [n, d]: positions [n, 2] of each."""
    features = np.concatenate(groups).astype(np.float64)
    if len(features) < 3:
        raise UserError("t-SNE needs at least three images")
    perplexity = min(30.0, (len(features) - 1) / 3)
    # Several threads add up in no fixed order, and t-SNE makes another picture of every rounding.
    with threadpool_limits(1):
        positions = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(features)
    return np.split(positions, np.cumsum([len(group) for group in groups])[:-1])
