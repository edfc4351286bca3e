"""
Translate between two domains
=============================

CycleGAN (appendix D) learned from digits and from negatives of digits, which nothing pairs. Each
test image stands above its translation.
"""

import numpy as np

import tfgen
import zoo
from tfgen.drawing import pictures

model = zoo.load("cyclegan_digits")
images, _ = tfgen.data.arrays("digits", "test[:16]")
images = (images / 255).astype("float32")
picture = pictures.translations(model, images, "ab")
picture

# %%
# There and back again: the cycle's error, per pixel.

there, _ = model.endpoints()["translate_ab"]
back, _ = model.endpoints()["translate_ba"]
again = back(images=there(images=images)["images"])["images"]
print(f"mean absolute error: {np.abs(again - images).mean():.3f}")
