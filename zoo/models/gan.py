"""Generative adversarial networks, Eq. 3-5, and their importance-weighted form, Eq. 36-43."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from tfgen import checks, endpoints, networks
from tfgen.objectives import FAKE, REAL, log_q, reverse
from tfgen.unified import Unified


@keras.saving.register_keras_serializable("zoo")
class GAN(Unified):
    """Eq. 3-5: GAN; with `num_classes` CGAN, with `importance_weighted` IWGAN, with both IWCGAN.

        y = 1: x ~ p_data;    y = 0: x = G_theta(z [, t]), z ~ N(0, I)
        phi:    1/2 E_pdata[log q(1|x)] + 1/2 E_pg[log q(0|x)]
        theta:  E_pg[log q^r(0|x)], or sum_i w_i log q^r(0|x_i), w = softmax(l_1 .. l_k)

    The k samples of an importance-weighted step are the global minibatch.  The two objectives differ
    only in that theta's has the reversal q^r in place of q.

    Args:
        theta: Generator, z (b, d) [, t (b,)] -> images (b, h, w, c).
        phi: Discriminator, images [, t] -> logits (b, 1).
        num_classes: Number of classes of the labels that both networks read; None if they read none.
        importance_weighted: Whether to weight the generated samples by Eq. 43.
        truncation: Factor c of `sample(prior="truncated")`, G_theta(c z), positive: below 1 samples
            are nearer to what theta draws most, at the cost of recall (Brock et al. 2019, who redraw large
            z instead).  Training does not read it.
        kwargs: Arguments of `tfgen.unified.Unified`.

    Source: Goodfellow et al. (2014); Mirza & Osindero (2014); Hu et al. (2018), section 4.

    Examples:
        >>> import numpy as np, tfgen, zoo
        >>> model = zoo.GAN.build_networks(
        ...     (8, 8, 1), 10, width=4, latent_dim=8, conditional=True, importance_weighted=True
        ... )
        >>> model.table_row
        'IWCGAN'
        >>> model.compile("adam")
        >>> history = model.fit(tfgen.data.load("digits"), steps_per_epoch=2, verbose=0)
        >>> sorted(history.history)  # objectives of both players, effective sample size
        ['ess', 'phi', 'theta']
        >>> images = model.sample(3, seed=0, labels=[7, 7, 1])
        >>> images.shape
        (3, 8, 8, 1)
        >>> model.predict((images, np.array([7, 7, 1])), verbose=0).shape  # logits l(x, t)
        (3,)
    """

    def __init__(
        self,
        theta: keras.Model,
        phi: keras.Model,
        num_classes: int | None = None,
        importance_weighted: bool = False,
        truncation: float | None = None,
        **kwargs: Any,
    ):
        checks.check_networks(num_classes, theta=theta, phi=phi)
        shape = theta.output_shape[1:]
        super().__init__({"theta": theta, "phi": phi}, shape, num_classes=num_classes, **kwargs)
        self.importance_weighted = importance_weighted
        self.truncation = truncation

    @property
    def table_row(self) -> str:
        weighted, conditional = self.importance_weighted, self.num_classes is not None
        return f"{'IW' if weighted else ''}{'C' if conditional else ''}GAN"

    @classmethod
    def build_networks(
        cls,
        shape: tuple[int, int, int],
        num_classes: int | None,
        *,
        width: int,
        latent_dim: int,
        conditional: bool = False,
        normalization: str | None = "batch",
        spectral: bool = False,
        modulation: str | None = None,
        augment: Sequence[str] = (),
        residual: bool = False,
        projection: bool = True,
        **kwargs: Any,
    ) -> Self:
        """Return a model with fresh DCGAN networks, or residual ones.

        Args:
            shape, width, latent_dim, normalization, modulation, augment: See `tfgen.networks`.
            num_classes: Number of classes of the data set.
            conditional: Whether both networks read the labels.
            spectral: Whether phi has spectral normalization instead of `normalization`.
            residual: Whether both networks are residual, with `width` channels per map.
            projection: Whether labels enter phi by an inner product, see `tfgen.networks.discriminator`.
            kwargs: Arguments of the constructor.
        """
        classes = num_classes if conditional else None
        theta = networks.image_generator(
            shape,
            latent_dim,
            width,
            classes,
            normalization,
            modulation=modulation,
            residual=residual,
        )
        phi = networks.adversary(
            shape,
            width,
            classes,
            normalization,
            spectral=spectral,
            augment=augment,
            residual=residual,
            projection=projection,
        )
        return cls(theta, phi, num_classes=classes, **kwargs)

    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        latents = self.prior_like(images)
        generated = self.call_network(self.theta, latents, labels, training)
        q_real = self.logits(images, labels, training)
        q_fake = self.logits(generated, labels, training)
        return {
            "theta": self.expectation(log_q(reverse(q_fake), FAKE), q_fake),
            "phi": (self.mean(log_q(q_real, REAL)) + self.mean(log_q(q_fake, FAKE))) / 2,
        }

    def call(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        return self.logits(images, labels, training)

    @property
    def truncation(self) -> float | None:
        return self._truncation

    @truncation.setter
    def truncation(self, factor: float | None) -> None:
        if factor is not None:
            checks.check_positive(truncation=factor)
            if factor > 1:
                raise ValueError(
                    f"truncation must shorten codes, at most 1. Received: truncation={factor}"
                )
        self._truncation = factor

    @property
    def second_prior(self) -> str | None:
        return None if self.truncation is None else "truncated"

    def second_codes(self, n: Any, seed: Any, labels: Any) -> tf.Tensor:
        return self.truncation * self.prior(n, seed)

    def endpoints(self) -> endpoints.Endpoints:
        generating = {**endpoints.generator(self), **endpoints.second_sampler(self)}
        return {**generating, **endpoints.discriminator(self)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "importance_weighted": self.importance_weighted,
            "truncation": self.truncation,
        }
