"""
The weights of an importance-weighted GAN
=========================================

An IWGAN (Eq. 36-43) weights the k samples of a step by softmax(l), with the discriminator's logits
l. The effective sample size 1 / sum w^2 measures how unequal the weights are: it is k if all are
equal, and 1 if one sample has all the weight.
"""

import keras
import matplotlib.pyplot as plt
import tensorflow as tf

import tfgen
import zoo

K = 64


class EffectiveSize(keras.callbacks.Callback):
    """Callback that records the effective sample size under the weights of Eq. 40 after each epoch."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def on_epoch_end(self, epoch, logs=None):
        logits = self.model.logits(tf.constant(self.model.sample(K, seed=epoch)))
        weights = tfgen.objectives.importance_weights(logits)
        self.sizes.append(float(1 / tf.reduce_sum(weights**2)))


keras.utils.set_random_seed(0)
model = zoo.build(zoo.RECIPES["iwgan_digits"], tfgen.data.info("digits"))
watched = EffectiveSize()
images = tfgen.data.load("digits", batch_size=K)
model.fit(images, epochs=25, verbose=0, callbacks=[watched])

# %%

figure, axes = plt.subplots(figsize=(6, 3.5))
axes.plot(range(1, 26), watched.sizes)
axes.axhline(K, linestyle=":", color="gray")
axes.set(xlabel="epoch", ylabel=f"effective size of {K} samples", ylim=(0, K + 4))
figure.tight_layout()

# %%
# A confident discriminator gives most of the weight to few samples, so theta's gradient comes from
# them.

print(f"smallest effective size: {min(watched.sizes):.1f} of {K}")
