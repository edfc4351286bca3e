"""Adversarial domain adaptation, Eq. 1-3 and 18-19, and its importance-weighted form."""

from typing import Any, Self

import keras
import tensorflow as tf

from tfgen import checks, endpoints, global_batch, networks
from tfgen import data as datasets
from tfgen.networks import heads
from tfgen.objectives import FAKE, REAL, importance_weights, log_categorical, log_q, reverse
from tfgen.unified import Unified

SOURCE, TARGET = REAL, FAKE  # the domains y: the source has the place of a GAN's real images


@keras.saving.register_keras_serializable("zoo")
class ADA(Unified):
    """Eq. 1-3, 18-19: ADA; with `importance_weighted` IW-ADA.

        x = G_theta(z);    y = 1: z ~ source, with its label t;    y = 0: z ~ target
        phi:    1/2 E_src[log q(1|x)] + 1/2 E_tgt[log q(0|x)]
        theta:  lambda (E_src[log q^r(1|x)] + E_tgt[log q^r(0|x)]) + E_src[log f_omega(t|x)]
        omega:  E_src[log f_omega(t|x)]

    z is an image and x its feature; theta acts on both domains.  Theta's adversarial term has phi's
    labels flipped (q^r, Eq. 2), where Ganin et al. (2016) reverse phi's gradient.  As in their paper
    lambda rises from 0 over the first `ramp` steps, p = step/ramp:

        lambda = adversarial_weight (2/(1 + exp(-10 p)) - 1)

    E_src and E_tgt are means over the images of that domain in the global minibatch, and 0 if it has
    none.  The paper does not define importance weights for ADA; by Eq. 43 the target's images have the
    weights softmax(l), and the source's, for which the domains change places, softmax(-l).

    Both domains pass through the networks in one batch, so batch normalization would mix them.

    Args:
        theta: Feature net, images (b, h, w, c) -> features.
        phi: Domain discriminator, features -> logits (b, 1).
        omega: Classifier, features -> logits (b, num_classes).
        adversarial_weight: lambda, or its final value; 0 trains on the source alone.
        ramp: Number of steps over which lambda rises; None keeps it constant.
        importance_weighted: Whether to weight theta's adversarial terms by Eq. 43.
        num_classes: Number of classes.
        kwargs: Arguments of `tfgen.unified.Unified`.

    Source: Ganin et al. (2016); Hu et al. (2018), section 3.1.

    Examples:
        >>> import tfgen, zoo
        >>> model = zoo.ADA.build_networks((8, 8, 1), 10, width=4, units=8)
        >>> model.compile("adam")
        >>> images, labels = tfgen.data.arrays("digits")
        >>> images = images / 255.0
        >>> labels[::2] = -1  # the target domain
        >>> history = model.fit(images[:128], labels[:128], verbose=0)
        >>> sorted(history.history)  # accuracy on the source
        ['accuracy', 'omega', 'phi', 'theta']
        >>> model.predict(images[:2], verbose=0).shape  # f_omega(t|x)
        (2, 10)
    """

    needs_labels = True
    unlabelled = True  # the target domain
    multi_domain = True
    terms = 2  # means over the source's images, and over the target's
    heads = {"phi": heads.logit, "omega": heads.logits}  # theta gives features

    def __init__(
        self,
        theta: keras.Model,
        phi: keras.Model,
        omega: keras.Model,
        adversarial_weight: float = 1.0,
        ramp: int | None = None,
        importance_weighted: bool = False,
        num_classes: int = 10,
        **kwargs: Any,
    ):
        checks.check_features(theta, phi=phi, omega=omega)
        checks.check_readers(None, theta=theta, phi=phi, omega=omega)
        _check(omega, num_classes, adversarial_weight, ramp)
        players = {"theta": theta, "phi": phi, "omega": omega}
        super().__init__(players, theta.input_shape[1:], num_classes=num_classes, **kwargs)
        self.adversarial_weight = adversarial_weight
        self.ramp = ramp
        self.importance_weighted = importance_weighted
        self.accuracy = keras.metrics.Mean(name="accuracy")

    @property
    def table_row(self) -> str:
        return f"{'IW' if self.importance_weighted else ''}ADA"

    @classmethod
    def load_data(
        cls, *, batch_size: int, seed: int, name: str, target: str, **geometry: Any
    ) -> tf.data.Dataset:
        """Return batches: half of each labelled images of `name`, half unlabelled images of `target`."""
        return datasets.load_adaptation(name, target, batch_size=batch_size, seed=seed, **geometry)

    @classmethod
    def build_networks(
        cls, shape: tuple[int, int, int], num_classes: int, *, width: int, units: int, **kwargs: Any
    ) -> Self:
        """Return a model with fresh networks.

        Args:
            shape: (h, w, c) of the images of both domains.
            num_classes: Number of classes.
            width: Width of theta, see `tfgen.networks.extractor`.
            units: Number of hidden units of phi and of omega.
            kwargs: Arguments of the constructor.
        """
        theta = networks.extractor(shape, width)
        read = theta.output_shape[1:]
        phi = networks.mlp_discriminator(read, units)
        omega = networks.mlp_classifier(read, num_classes, units)
        return cls(theta, phi, omega, num_classes=num_classes, **kwargs)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*super().metrics, self.accuracy]

    def objectives(
        self, images: tf.Tensor, labels: Any = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        return self.assess(images, labels, training)[0]

    def assess(
        self, images: tf.Tensor, labels: Any = None, training: bool = True
    ) -> tuple[dict[str, tf.Tensor], dict[str, list[tuple[Any, Any]]]]:
        source, target = labels >= 0, labels < 0
        features = self.call_network(self.theta, images, training=training)
        q = self.logits(features, training=training)
        classes = tf.cast(self.call_network(self.omega, features, training=training), tf.float32)
        self.accuracy.update_state(tf.argmax(classes, 1, labels.dtype) == labels, source)
        log_f = log_categorical(classes, tf.maximum(labels, 0))  # of the source, labels are known
        classified = self.domain_expectation(log_f, source)
        phi_source = self.domain_expectation(log_q(q, SOURCE), source)
        phi_target = self.domain_expectation(log_q(q, TARGET), target)
        over = q if self.importance_weighted else tf.zeros_like(q)
        theta_source = self.domain_expectation(log_q(reverse(q), SOURCE), source, reverse(over))
        theta_target = self.domain_expectation(log_q(reverse(q), TARGET), target, over)
        weight = self.ramped_weight()
        objectives = {
            "theta": weight * (theta_source + theta_target) + classified,
            "phi": (phi_source + phi_target) / 2,
            "omega": classified,
        }
        of_domains = {
            "theta": (weight * theta_source + classified, weight * theta_target),
            "phi": (phi_source / 2, phi_target / 2),
            "omega": (classified, 0.0),
        }
        sizes = [tf.math.count_nonzero(part, dtype=tf.float32) for part in (source, target)]
        counts = global_batch.total(sizes)
        return objectives, {
            player: list(zip(means, counts, strict=True)) for player, means in of_domains.items()
        }

    def domain_expectation(
        self, terms: tf.Tensor, domain: tf.Tensor, logits: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Return E over a domain's images in the global minibatch; 0 if it has none.

        Args:
            terms: (b,).
            domain: (b,) bool, whether an image belongs to the domain.
            logits: (b,) l, for weights softmax(l) over the domain's images; None for equal weights.
        """
        given = tf.where(domain, 0.0 if logits is None else logits, terms.dtype.min)
        if self.importance_weighted and logits is not None:
            weights = self.importance(given)
        else:
            weights = importance_weights(given, global_batch.gather(given))
        return tf.reduce_sum(tf.where(domain, weights, 0.0) * terms)

    def ramped_weight(self) -> tf.Tensor:
        """Return lambda at this step: its final value times 2/(1 + exp(-10 p)) - 1, Ganin et al. (2016)."""
        if self.ramp is None:
            return self.adversarial_weight
        progress = tf.minimum(tf.cast(self.steps, tf.float32) / self.ramp, 1.0)
        return self.adversarial_weight * (2.0 / (1.0 + tf.exp(-10.0 * progress)) - 1.0)

    def call(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Return class probabilities f_omega(t|x), (b, num_classes)."""
        theta = self.theta if training else self.sampler
        features = theta(images, training=training)
        return tf.nn.softmax(
            tf.cast(self.call_network(self.omega, features, training=training), tf.float32)
        )

    def endpoints(self) -> endpoints.Endpoints:
        return endpoints.classifier(self)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "adversarial_weight": self.adversarial_weight,
            "ramp": self.ramp,
            "importance_weighted": self.importance_weighted,
            "num_classes": self.num_classes,
        }


def _check(omega, num_classes, adversarial_weight, ramp):
    if omega.output_shape[-1] != num_classes:
        raise ValueError(
            "omega must have a logit for each class. "
            f"Received: num_classes={num_classes}, omega with {omega.output_shape[-1]} logits"
        )
    checks.check_not_negative(adversarial_weight=adversarial_weight)
    if ramp is not None and not ramp > 0:
        raise ValueError(f"ramp must be None or a positive number of steps. Received: ramp={ramp}")
