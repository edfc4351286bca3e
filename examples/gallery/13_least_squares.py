"""
Add a model: the least-squares GAN
==================================

A model is defined by its objectives. This one is by Mao et al. (2017): squared distances of the
logit from 1 for real and from 0 for generated images replace log q.
"""

import keras

import tfgen
from tfgen import endpoints, networks
from tfgen.drawing import pictures


@keras.saving.register_keras_serializable("examples")
class LeastSquaresGAN(tfgen.Unified):
    """Mao et al. (2017), Eq. 9.

        phi:    -1/2 E_pdata[(l(x) - 1)^2] - 1/2 E_pg[l(x)^2]
        theta:  -E_pg[(l(x) - 1)^2]

    Args:
        theta: Generator.
        phi: Discriminator.
    """

    def __init__(self, theta, phi, **kwargs):
        super().__init__({"theta": theta, "phi": phi}, theta.output_shape[1:], **kwargs)

    def objectives(self, images, labels=None, training=True):
        generated = self.call_network(self.theta, self.prior_like(images), training=training)
        real = self.logits(images, training=training)
        fake = self.logits(generated, training=training)
        return {
            "theta": -self.mean((fake - 1) ** 2),
            "phi": -(self.mean((real - 1) ** 2) + self.mean(fake**2)) / 2,
        }

    def call(self, images, labels=None, training=False):
        return self.logits(images, training=training)

    def endpoints(self):
        return {**endpoints.generator(self), **endpoints.discriminator(self)}


# %%
# The base class has the rest: one training step for all players, sampling, an average of theta,
# saving, export.

keras.utils.set_random_seed(0)
theta = networks.generator((8, 8, 1), latent_dim=32, width=16)
phi = networks.discriminator((8, 8, 1), width=16)
model = LeastSquaresGAN(theta, phi, average=0.99)
model.compile(tfgen.optimizers.Adam(1e-3, beta_1=0.5))
model.fit(tfgen.data.load("digits", batch_size=64), epochs=40, verbose=0)
picture = pictures.grid(model.sample(32, seed=0), columns=8)
picture

# %%
# It is scored like the others.

scores = tfgen.evaluate(model, "digits", samples=2000)
print({name: round(scores[name]["value"], 3) for name in ("inception_score_ratio", "fid")})
