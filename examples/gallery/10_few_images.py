"""
A VAE and an adversary-activated VAE with few images
====================================================

Adversary activation (Eq. 17) weights each image, real or generated, by the discriminator's
probability that it is real, so that a VAE also learns from its own samples. In the paper it helps
with few images: here are 143.
"""

import keras
import matplotlib.pyplot as plt

import tfgen
import zoo

FRACTION, EPOCHS, SEED = 0.1, 40, 0
info = tfgen.data.info("digits")
test = tfgen.data.load("digits", "test", binarize=True)


def bounds(name):
    """Return the variational bound on the test images after every tenth epoch, in nats per image."""
    keras.utils.set_random_seed(SEED)
    model = zoo.build(zoo.RECIPES[name], info, seed=SEED)
    images = tfgen.data.load("digits", fraction=FRACTION, binarize=True, seed=SEED)
    values = []
    for _ in range(EPOCHS // 10):
        model.fit(images, epochs=10, verbose=0)
        values.append(model.evaluate(test, verbose=0, return_dict=True)["bound"])
    return values


# %%
# Both models have the same subset, order, noise and starting weights of shared players.

figure, axes = plt.subplots(figsize=(6, 3.5))
for name in ("vae_digits", "aavae_digits"):
    values = bounds(name)
    axes.plot(range(10, EPOCHS + 1, 10), values, label=name)
    print(f"{name}: {values[-1]:.2f} nats after {EPOCHS} epochs")
axes.set(xlabel="epoch", ylabel="test bound, nats per image")
axes.legend()
figure.tight_layout()

# %%
# One seed decides nothing; ``tfgen reproduce table3`` compares over several paired seeds.
