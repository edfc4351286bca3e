"""
Reconstruct
===========

A VAE (Eq. 11) infers a posterior over codes from an image, and decodes a draw from it. Each test
image is shown above its reconstruction.
"""

import tfgen
import zoo
from tfgen.drawing import pictures
from tfgen.evaluation import likelihood

model = zoo.load("vae_digits")
images, labels = tfgen.data.arrays("digits", "test[:24]")
images = likelihood.prepare_images(model.likelihood, images / 255)  # binarized, as in training
picture = pictures.reconstructions(model, images)
picture

# %%
# The test images with the lowest bounds, in nats.

import numpy as np

images, labels = tfgen.data.arrays("digits", "test")
images = likelihood.prepare_images(model.likelihood, images / 255).astype("float32")
bound, _ = model.endpoints()["bound"]
nats = bound(images=images, seeds=np.arange(len(images), dtype="int32"))["bound"].numpy()
worst = np.argsort(nats)[:16]
picture = pictures.grid(images[worst], [f"{nats[i]:.0f}" for i in worst], columns=8)
picture
