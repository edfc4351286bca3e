"""The life of a preset: recipe, training, publishing, page, fetching, loading."""
