"""
A grid of classes
=================

A conditional model draws images of given classes: here one class per row, with one seed for all.
"""

import numpy as np

import zoo
from tfgen.drawing import pictures

model = zoo.load("cgan_digits")
labels = np.repeat(np.arange(10), 10)
images = model.sample(100, seed=4, labels=labels)
picture = pictures.grid(images, labels, columns=10)
picture

# %%
# With one latent code per column, a column shows one style in ten classes.

latents = np.tile(np.asarray(model.prior(10, 4)), (10, 1))  # (100, latent_dim)
images = np.asarray(model.decode(latents, labels))
picture = pictures.grid(images, columns=10)
picture
