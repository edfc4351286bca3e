"""
Invert a generator
==================

A GAN has no inference net. Gradient descent finds the code of an image: the z whose image is
nearest, with the prior's log-density as a regularizer.
"""

import keras
import numpy as np
import tensorflow as tf

import tfgen
import zoo
from tfgen.drawing import pictures

model = zoo.load("gan_digits")
images, _ = tfgen.data.arrays("digits", "test[:16]")
targets = tf.constant(images / 255, tf.float32)

latents = tf.Variable(model.prior(16, 0))
optimizer = keras.optimizers.Adam(0.1)


@tf.function
def step():
    """Descend the squared error, plus z's negative log-density with a small weight."""
    with tf.GradientTape() as tape:
        error = tf.reduce_sum((model.decode(latents) - targets) ** 2)
        loss = error + 0.01 * tf.reduce_sum(latents**2) / 2
    optimizer.apply([tape.gradient(loss, latents)], [latents])
    return error


errors = [float(step()) for _ in range(300)]
print(f"squared error: {errors[0]:.1f} at a draw of the prior, {errors[-1]:.1f} after 300 steps")

# %%
# Each image is shown above the nearest image found.

found = np.asarray(model.decode(latents))
rows = [part for i in (0, 8) for part in (targets[i : i + 8].numpy(), found[i : i + 8])]
picture = pictures.grid(np.concatenate(rows), columns=8)
picture
