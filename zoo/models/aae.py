"""Adversarial autoencoders, Eq. 29-32: InfoGAN with x and z exchanged."""

from typing import Any, Self

import keras
import tensorflow as tf

from tfgen import checks, endpoints, networks
from tfgen.feeding import labelled_share
from tfgen.gate import Images, Labels
from tfgen.noise import Batch, Samples
from tfgen.objectives import FAKE, REAL, log_categorical, log_q, reverse
from zoo.models.autoencoder import Autoencoder

NOISE, CLASSES = range(2)  # streams of noise


@keras.saving.register_keras_serializable("zoo")
class AAE(Autoencoder):
    """Eq. 29-32: AAE; with `importance_weighted` IWAAE.

        y = 1: z ~ p(z) = N(0, I);    y = 0: z = E_eta(x), x ~ p_data
        phi:         1/2 E_p(z)[log q(1|z)] + 1/2 E_pdata[log q(0|z)]
        theta, eta:  E_pdata[log p_theta(x|z) + lambda log q^r(0|z)]

    The discriminator reads codes.  lambda is 1 in the paper.  log p_theta(x|z) sums over pixels and can
    outweigh the adversarial term a hundredfold; Makhzani et al. alternate steps on the two, each with its
    own rate.  Importance weights multiply log q^r alone; the paper does not define them for AAE.

    With `num_classes` the code is the pair (z, t) under the prior p(z) p(t), t one-hot and uniform; phi
    compares pairs, where Makhzani et al. have one discriminator for z and one for t.  Eta infers the
    logits of t beside z, theta reads their softmax, and labelled images add the semi-supervised term

        theta, eta:  ... + alpha E_labelled[log q_eta(t|x)],

    estimated without bias in every minibatch, with or without labels; at least one image must have a
    label.  With `clustering` labels are not read, and the values of t are clusters.

    Args:
        theta: Decoder, codes (b, d [+ num_classes]) -> images (b, h, w, c) that end in a sigmoid.
        eta: Encoder, images -> (b, d [+ num_classes]), the last columns being the logits of t.
        phi: Discriminator, codes -> logits (b, 1).
        num_classes: Number of values of t; None if the code is z alone.
        clustering: Whether t is found without labels.
        adversarial_weight: lambda >= 0; 0 gives an autoencoder.
        alpha: Weight >= 0 of the labelled images' term.
        importance_weighted: Whether to weight log q^r of the inferred codes by Eq. 43.
        kwargs: Arguments of `tfgen.unified.Unified`.

    Raises:
        ValueError: The networks do not fit each other or the code, or a weight is negative.

    Source: Makhzani et al. (2015), Adversarial autoencoders; Hu et al. (2018), appendix D.

    Examples:
        >>> import tfgen, zoo
        >>> model = zoo.AAE.build_networks((8, 8, 1), 10, width=4, latent_dim=8, hidden=16)
        >>> model.compile("adam")
        >>> history = model.fit(tfgen.data.load("digits"), steps_per_epoch=2, verbose=0)
        >>> sorted(history.history)  # reconstruction: log p_theta(x|z) in nats per image
        ['eta', 'phi', 'reconstruction', 'theta']
        >>> model.infer(model.sample(2)).shape  # codes E_eta(x)
        TensorShape([2, 8])
    """

    unlabelled = True

    def __init__(
        self,
        theta: keras.Model,
        eta: keras.Model,
        phi: keras.Model,
        num_classes: int | None = None,
        clustering: bool = False,
        adversarial_weight: float = 1.0,
        alpha: float = 1.0,
        importance_weighted: bool = False,
        **kwargs: Any,
    ):
        checks.check_code_discriminator(theta, phi)
        checks.check_not_negative(adversarial_weight=adversarial_weight, alpha=alpha)
        _check_code_classes(theta, num_classes, clustering)
        super().__init__({"theta": theta, "phi": phi, "eta": eta}, num_classes, **kwargs)
        self.clustering = clustering
        self.adversarial_weight = adversarial_weight
        self.alpha = alpha
        self.importance_weighted = importance_weighted
        self.labelled_share = self.add_weight(
            name="labelled_share", shape=(), dtype="float32", initializer="ones", trainable=False
        )

    @property
    def table_row(self) -> str:
        return "IWAAE" if self.importance_weighted else "AAE"

    @classmethod
    def build_networks(
        cls,
        shape: tuple[int, int, int],
        num_classes: int,
        *,
        width: int,
        latent_dim: int,
        hidden: int = 500,
        semi_supervised: bool = False,
        num_clusters: int | None = None,
        normalization: str | None = "batch",
        **kwargs: Any,
    ) -> Self:
        """Return a model with fresh networks.

        Args:
            shape, width, latent_dim, normalization: See `tfgen.networks`.
            num_classes: Number of classes of the data set.
            hidden: Number of units of each hidden layer of phi.
            semi_supervised: Whether the code has a class t that learns from labels.
            num_clusters: Number of values of a t that is found without labels; None for no clusters.
            kwargs: Arguments of the constructor.
        """
        classes = num_classes if semi_supervised else num_clusters
        size = latent_dim + (classes or 0)
        theta = networks.generator(shape, size, width, None, normalization)
        eta = networks.code_encoder(shape, size, width, normalization)
        phi = networks.mlp_discriminator((size,), hidden)
        clustering = num_clusters is not None
        return cls(theta, eta, phi, num_classes=classes, clustering=clustering, **kwargs)

    @property
    def label_rule(self) -> Images | Labels | None:
        return super().label_rule if self.reads_labels else None

    def before_fit(self, dataset: Any) -> None:
        """Set N_labelled/N, which makes the labelled images' term unbiased in every minibatch."""
        if self.reads_labels:
            self.labelled_share.assign(labelled_share(dataset))

    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        outputs = self.call_network(self.eta, images, training=training)
        codes = self.code(outputs)
        q_prior = self.logits(self.prior_like(images), training=training)
        q_code = self.logits(codes, training=training)
        adversarial = self.expectation(log_q(reverse(q_code), FAKE), q_code)
        objective = self.reconstruction(images, codes, training)
        objective += self.adversarial_weight * adversarial
        if self.reads_labels:
            objective += self.alpha * self.classification(outputs, labels)
        return {
            "theta": objective,
            "phi": (self.mean(log_q(q_prior, REAL)) + self.mean(log_q(q_code, FAKE))) / 2,
            "eta": objective,
        }

    def classification(self, outputs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Return E_labelled[log q_eta(t|x)] from eta's outputs (b, d + num_classes) and labels (b,)."""
        labelled = tf.cast(labels >= 0, outputs.dtype)
        log_t = log_categorical(outputs[:, self.continuous :], tf.maximum(labels, 0))
        return self.mean(labelled * log_t) / self.labelled_share

    # The code: z, or (z, t).

    @property
    def reads_labels(self) -> bool:
        return self.num_classes is not None and not self.clustering

    @property
    def continuous(self) -> int:
        """Length of z."""
        return self.latent_dim - (self.num_classes or 0)

    def code(self, outputs: tf.Tensor) -> tf.Tensor:
        """Return z, or (z, q_eta(t|x)), from eta's outputs."""
        z, logits = outputs[:, : self.continuous], outputs[:, self.continuous :]
        return z if self.num_classes is None else tf.concat([z, tf.nn.softmax(logits)], axis=1)

    def infer(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.code(self.call_network(self.eta, images, training=training))

    def draw_prior(self, noise: Samples | Batch, stream: int = NOISE) -> tf.Tensor:
        """Draw z ~ N(0, I), or (z, t) with t one-hot and uniform."""
        z = noise.gaussian(self.continuous, stream)
        if self.num_classes is None:
            return z
        t = tf.cast(self.num_classes * noise.uniform(1, stream + CLASSES)[:, 0], tf.int32)
        return tf.concat([z, tf.one_hot(t, self.num_classes)], axis=1)

    # Use.

    def classes(self, images: tf.Tensor) -> tf.Tensor:
        """Return q_eta(t|x), (b, num_classes) probabilities."""
        return self.infer(images)[:, self.continuous :]

    def endpoints(self) -> endpoints.Endpoints:
        served = super().endpoints()
        if self.num_classes is None:
            return served
        return {**served, **endpoints.classifier(self, self.classes)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "clustering": self.clustering,
            "adversarial_weight": self.adversarial_weight,
            "alpha": self.alpha,
            "importance_weighted": self.importance_weighted,
        }


def _check_code_classes(theta, num_classes, clustering):
    """Raise unless the code (z, t) is longer than its one-hot t, and has a t if there are clusters."""
    if clustering and num_classes is None:
        raise ValueError("clustering needs num_classes. Received: num_classes=None")
    length = theta.inputs[0].shape[-1]
    if num_classes is not None and not 0 < num_classes < length:
        raise ValueError(
            "A code (z, t) must be longer than its one-hot t. "
            f"Received: code of length {length}, {num_classes=}"
        )
