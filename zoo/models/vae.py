"""Variational autoencoders, Eq. 11-13, and their adversary-activated form, Eq. 17 and 44-46."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from tfgen import checks, endpoints, networks
from zoo.models.variational import POSTERIOR, Variational


@keras.saving.register_keras_serializable("zoo")
class VAE(Variational):
    """Eq. 11-13, 17: VAE; with `num_classes` CVAE, with `phi` AA-VAE, with both AA-CVAE.

        L(x) = E_q_eta(z|x)[log p_theta(x|z)] - KL(q_eta(z|x) || p(z))
        theta, eta:  E_pdata[L(x)],  or with phi  E_pdata[w(x) L(x)] + E_pg[w(x) L(x)],
                     w(x) = q^r(0|x) = sigmoid(l(x)/T)
        phi:         1/2 E_pdata[log q(1|x)] + 1/2 E_pg[log q(0|x)]

    `phi=None` stands for the perfect discriminator of Lemma 2; see `Variational.activated_objectives`.
    With classes every network reads t, and L(x, t) is a lower bound on log p_theta(x|t).

    Args:
        theta: Decoder, z (b, d) [, t (b,)] -> images (b, h, w, c) that end in a sigmoid, or [images,
            scale (b, 1, 1, c)] for a likelihood with a scale.
        eta: Inference net, images [, t] -> {"mean": (b, d), "scale": (b, d)}.
        phi: Discriminator, images [, t] -> logits (b, 1), or None.
        temperature: T > 0 of the weights; phi's own objective stays at 1.
        num_classes: Number of classes of the labels that the networks read; None if they read none, so
            that labels given to `fit` are ignored.
        importance_samples: Number k of draws of z; above 1, L is the bound of Burda et al. (2015).
        likelihood: "bernoulli", "logistic" (256 gray levels) or "gaussian".
        kwargs: Arguments of `tfgen.unified.Unified`.

    Source: Kingma & Welling (2014); Sohn et al. (2015); Hu et al. (2018), sections 3.3, 4 and C.

    Examples:
        >>> import tfgen, zoo
        >>> model = zoo.VAE.build_networks((8, 8, 1), 10, width=4, latent_dim=8, adversary=True)
        >>> model.table_row
        'AA-VAE'
        >>> model.compile("adam")
        >>> history = model.fit(tfgen.data.load("digits"), steps_per_epoch=2, verbose=0)
        >>> sorted(history.history)  # bound: L(x) of real images in nats, without weights
        ['bound', 'eta', 'phi', 'theta']
        >>> model.sample(2, seed=0).shape  # Bernoulli means
        (2, 8, 8, 1)
        >>> model.predict(model.sample(2), verbose=0).shape  # reconstructions
        (2, 8, 8, 1)
    """

    def __init__(
        self,
        theta: keras.Model,
        eta: keras.Model,
        phi: keras.Model | None = None,
        temperature: float = 1.0,
        num_classes: int | None = None,
        importance_samples: int = 1,
        likelihood: str = "bernoulli",
        **kwargs: Any,
    ):
        players = {"theta": theta, "eta": eta} | ({} if phi is None else {"phi": phi})
        checks.check_readers(num_classes, **players)
        super().__init__(
            players, num_classes, temperature, importance_samples, likelihood, **kwargs
        )

    @property
    def table_row(self) -> str:
        activated, conditional = "phi" in self.players, self.num_classes is not None
        return f"{'AA-' if activated else ''}{'C' if conditional else ''}VAE"

    @classmethod
    def build_networks(
        cls,
        shape: tuple[int, int, int],
        num_classes: int | None,
        *,
        width: int,
        latent_dim: int,
        conditional: bool = False,
        adversary: bool = False,
        normalization: str | None = "batch",
        likelihood: str = "bernoulli",
        mixture_prior: int | None = None,
        spectral: bool = False,
        modulation: str | None = None,
        augment: Sequence[str] = (),
        residual: bool = False,
        projection: bool = True,
        **kwargs: Any,
    ) -> Self:
        """Return a model with fresh DCGAN networks.

        Args:
            shape, width, latent_dim, normalization, modulation: See `tfgen.networks`.
            num_classes: Number of classes of the data set.
            conditional: Whether all networks read the labels.
            adversary: Whether the model has a discriminator phi.
            likelihood: See `zoo.VAE`.
            mixture_prior: Number K of Gaussians of a learned prior p(z), `tfgen.layers.MixturePrior`, which
                is part of theta; None for N(0, I).  Eq. 11 bounds log p_theta(x) under either.
            spectral, augment, residual, projection: Options of phi, see `tfgen.networks.adversary`.
            kwargs: Arguments of the constructor.

        Raises:
            ValueError: An argument is out of range, or an option of phi is given without `adversary`.
        """
        classes = num_classes if conditional else None
        scaled = likelihood != "bernoulli"
        theta = networks.generator(
            shape, latent_dim, width, classes, normalization, scaled, mixture_prior, modulation
        )
        eta = networks.encoder(shape, latent_dim, width, classes, normalization)
        phi = networks.optional_adversary(
            adversary,
            shape,
            width,
            classes,
            normalization,
            spectral=spectral,
            augment=augment,
            residual=residual,
            projection=projection,
        )
        return cls(theta, eta, phi, num_classes=classes, likelihood=likelihood, **kwargs)

    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        bounds = self.bound(images, labels, self.latent_noise(images, POSTERIOR), training)
        self.track_bound(bounds)
        objective, adversary = self.activated_objectives(images, labels, bounds, training)
        return {"theta": objective, "eta": objective, **adversary}

    def bound(
        self, images: tf.Tensor, labels: tf.Tensor | None, noise: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        posterior = self.call_network(self.eta, images, labels, training)
        return self.elbo(posterior, images, labels, noise, training)

    def endpoints(self) -> endpoints.Endpoints:
        generating = {**endpoints.generator(self), **endpoints.second_sampler(self)}
        served = {**generating, **endpoints.variational(self)}
        return {**served, **endpoints.discriminator(self)} if "phi" in self.players else served
