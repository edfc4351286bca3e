"""
Translate between two domains
=============================

CycleGAN (appendix D) learned from unpaired digits and negatives of digits. Each test image is shown
above its translation.
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
# The error of the cycle, there and back, per pixel.

there, _ = model.endpoints()["translate_ab"]
back, _ = model.endpoints()["translate_ba"]
again = back(images=there(images=images)["images"])["images"]
print(f"mean absolute error: {np.abs(again - images).mean():.3f}")
