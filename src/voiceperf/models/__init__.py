"""Where weights come from: the catalogue, verified pulls into a cache, conversions."""
