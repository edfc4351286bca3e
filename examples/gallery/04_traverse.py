"""
Traverse the codes of InfoGAN
=============================

InfoGAN (Eq. 9-10) has an inference net that recovers a part c of the latent code, here one of ten
categories and continuous codes, found without labels. One code is swept, the rest is held.
"""

import zoo
from tfgen.drawing import pictures

model = zoo.load("infogan_digits")
picture = pictures.traversal(model, rows=2, columns=9, seed=0)
picture

# %%
# How well do the categories match the digits? Test images get the category that the inference net
# finds; the labels serve to name the categories, by the best one-to-one assignment, and never to
# train.

import tfgen

images, labels = tfgen.data.arrays("digits", "test")
probabilities = model.endpoints()["classify"][0](images=(images / 255).astype("float32"))
found = probabilities["labels"].numpy()
accuracy = tfgen.metrics.clustering_accuracy(found, labels)
print(f"accuracy of ten categories found without labels: {accuracy:.3f}")
