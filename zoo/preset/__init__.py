"""The life of a preset: training, publishing, its page, and the tables of results."""
