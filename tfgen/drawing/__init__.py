"""Pictures of models: grids of images, plots, and the view of a model in a notebook."""
