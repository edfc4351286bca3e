"""
Traverse the codes of InfoGAN
=============================

InfoGAN (Eq. 9-10) has an inference net that recovers a part c of the latent code, here one of ten
categories and continuous codes, found without labels. In each row one code varies and the rest is
fixed.
"""

import zoo
from tfgen.drawing import pictures

model = zoo.load("infogan_digits")
picture = pictures.traversal(model, rows=2, columns=9, seed=0)
picture

# %%
# Categories against digits: test images have the category that the inference net infers; the labels
# only name the categories, by the best one-to-one assignment, and are not used in training.

import tfgen

images, labels = tfgen.data.arrays("digits", "test")
probabilities = model.endpoints()["classify"][0](images=(images / 255).astype("float32"))
found = probabilities["labels"].numpy()
accuracy = tfgen.metrics.clustering_accuracy(found, labels)
print(f"accuracy of ten categories found without labels: {accuracy:.3f}")
