"""
Missing modes, covering modes
=============================

Lemma 1 lets a GAN miss modes; Lemma 2 makes a VAE cover every mode and the space between. Here both
learn a ring of eight Gaussians, with points as images of 1x2 pixels, for a third of the study's steps.
"""

import matplotlib.pyplot as plt

from zoo.studies import gaussians

NAMES = ("GAN", "VAE", "GAN/VAE")
runs = [gaussians.train("ring", name, seed=0, epochs=10) for name in NAMES]

# %%

figure, axes = plt.subplots(1, len(NAMES), figsize=(9, 3), sharex=True, sharey=True)
for panel, run in zip(axes, runs, strict=True):
    panel.scatter(*run.points.T, s=2)
    panel.scatter(*gaussians.RING.T, s=80, facecolors="none", edgecolors="C1")
    panel.set(title=run.model, xlim=(0, 1), ylim=(0, 1), aspect="equal")
    print(f"{run.model}: {run.score.covered} of 8 modes, {run.score.good:.0%} good points")
figure.tight_layout()

# %%
# The last part of the page on the theory has more models, seeds and another mixture.
