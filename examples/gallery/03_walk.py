"""
Walk through the latent space
=============================

Each row decodes codes on an arc between two draws of the prior. The prior is Gaussian in many
dimensions, so its draws lie near a sphere, which a straight line would leave.
"""

import zoo
from tfgen.drawing import pictures

model = zoo.load("ganvae_digits")
picture = pictures.interpolation(model, rows=6, columns=9, seed=1)
picture

# %%
# In a conditional model each row stays within a class.

model = zoo.load("cvae_digits")
picture = pictures.interpolation(model, rows=4, columns=9, seed=1, labels=[2, 3, 6, 8])
picture
