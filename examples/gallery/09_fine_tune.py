"""
Fine-tune on other images
=========================

``fit`` trains a loaded preset further, on arrays or ``tf.data``. Here a GAN of digits learns their
negatives.
"""

import tfgen
import zoo
from tfgen.drawing import pictures

model = zoo.load("iwgan_digits")
before = model.sample(20, seed=0)

negatives = tfgen.data.load("digits_negative", batch_size=64, seed=0)
history = model.fit(negatives, epochs=15, verbose=0)
after = model.sample(20, seed=0)

# %%
# The same codes before and after, ten per row.

import numpy as np

rows = [before[:10], after[:10], before[10:], after[10:]]
picture = pictures.grid(np.concatenate(rows), columns=10)
picture

# %%
# Objectives are ascended. Theta's, E log D(G(z)), falls as the discriminator finds what has
# changed, and recovers.

for epoch in (0, 4, 9, 14):
    row = {name: values[epoch] for name, values in history.history.items()}
    print(f"epoch {epoch + 1:2}: theta {row['theta']:.2f}, phi {row['phi']:.2f} nats")
