"""`python -m zoo.studies.validators`: choose epochs and weight of ADA without labels of the target.

Each model from MNIST to MNIST-M is scored after every epoch by the validators of
`tfgen.evaluation.validators`, and by its accuracy on the target's test split, which ranks the validators.
The best validator then chooses epoch and weight between MNIST and USPS, where the accuracy of the chosen
model is reported.

It chooses among runs with images of both domains as they are and shifted by up to two pixels, the
augmentation of French et al. (2018, arXiv 1706.05208) for this pair, with each weight of the adversarial
term and with weight 0, which learns from the source alone.

A run learns from all but `HELD` of the source's training images and from all of the target's, without their
labels.  Validators read those `HELD` images and as many of the target's training images.  Each run is
written to validators.json when it ends; a written run is not repeated.
"""

from zoo.studies.validators.pages import page, recorded_bounds

__all__ = ["page", "recorded_bounds"]
