"""
Sample
======

A preset is a compiled ``keras.Model``. ``sample`` gives NumPy images in [0, 1].
"""

import numpy as np

import zoo
from tfgen.drawing import pictures

model = zoo.load("iwgan_digits")
images = model.sample(64, seed=0)  # (64, 8, 8, 1) float32
picture = pictures.grid(images)
picture

# %%
# The images are a function of the seed: the same in every process, and in the exported
# SavedModel.

assert np.array_equal(images, model.sample(64, seed=0))
assert not np.array_equal(images, model.sample(64, seed=1))

# %%
# Image i depends on the seed and on i, not on how many are drawn.

np.testing.assert_allclose(images[:8], model.sample(8, seed=0), atol=1e-5)
