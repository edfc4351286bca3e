"""Semi-supervised VAE, M2 of Kingma et al. (2014), and its adversary-activated form, Eq. 17."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from tfgen import checks, endpoints, networks
from tfgen.feeding import labelled_share
from tfgen.objectives import enumerated_bound, log_categorical
from zoo.models.variational import LABELS, POSTERIOR, Variational


@keras.saving.register_keras_serializable("zoo")
class SVAE(Variational):
    """Eq. 6-9 of Kingma et al. (2014): SVAE; with `phi` AA-SVAE, Eq. 17.

        L(x, t) = E_q_eta(z|x,t)[log p_theta(x|z, t)] + log p(t) - KL(q_eta(z|x, t) || p(z))
        U(x)    = sum_t q_omega(t|x) L(x, t) + H(q_omega(t|x))
        theta, eta, omega:  1/B [ sum_labelled (L(x, t) + a log q_omega(t|x)) + sum_unlabelled U(x) ]

    p(t) is uniform and a = alpha N/N_labelled, so that the minibatch's estimate is unbiased.  Under
    adversary activation the bounds of real images are weighted by w(x), and generated images enter as
    unlabelled ones through w(x) U(x), since Eq. 17 has x only.  The paper does not say whether the
    classifier's term is weighted; here it is not.  At least one image must have a label.  A class
    without labels is learned from unlabelled images alone, so its number is arbitrary.

    Args:
        theta: Decoder, z (b, d), t (b,) -> images (b, h, w, c) that end in a sigmoid.
        eta: Inference net, images, t -> {"mean": (b, d), "scale": (b, d)}, of two layers: "trunk",
            images -> features, and "head", (features, t) -> outputs, as `tfgen.networks` builds it.
        omega: Classifier, images -> logits (b, num_classes).
        phi: Discriminator, images -> logits (b, 1), or None.
        temperature: T > 0 of the weights; phi's own objective stays at 1.
        alpha: Weight of the classifier's term.
        num_classes: Number of classes.
        importance_samples, likelihood: See `zoo.VAE`.
        kwargs: Arguments of `tfgen.unified.Unified`.

    Source: Kingma et al. (2014); Hu et al. (2018), sections 4 and I.

    Examples:
        >>> import tfgen, zoo
        >>> model = zoo.SVAE.build_networks((8, 8, 1), 10, width=4, latent_dim=8, decoder_units=16)
        >>> model.compile("adam")
        >>> batches = tfgen.data.load("digits", split="train[:128]", labelled=0.1)
        >>> history = model.fit(batches, verbose=0)
        >>> sorted(history.history)  # accuracy on the labelled images
        ['accuracy', 'bound', 'eta', 'omega', 'theta']
        >>> model.predict(model.sample(2), verbose=0).shape  # q_omega(t|x)
        (2, 10)
    """

    num_classes: int  # not None
    needs_labels = True
    unlabelled = True

    def __init__(
        self,
        theta: keras.Model,
        eta: keras.Model,
        omega: keras.Model,
        phi: keras.Model | None = None,
        temperature: float = 1.0,
        alpha: float = 0.1,
        num_classes: int = 10,
        importance_samples: int = 1,
        likelihood: str = "bernoulli",
        **kwargs: Any,
    ):
        checks.check_readers(num_classes, theta=theta, eta=eta)
        readers = {"omega": omega} | ({} if phi is None else {"phi": phi})
        checks.check_readers(None, **readers)
        players = {"theta": theta, "eta": eta, **readers}
        super().__init__(
            players, num_classes, temperature, importance_samples, likelihood, **kwargs
        )
        if not {networks.TRUNK, networks.HEAD} <= {layer.name for layer in eta.layers}:
            raise ValueError(
                f"eta must consist of layers named {networks.TRUNK!r} and {networks.HEAD!r}. "
                f"Received: layers {[layer.name for layer in eta.layers]}"
            )
        self.alpha = alpha
        self.labelled_share = self.add_weight(
            name="labelled_share", shape=(), dtype="float32", initializer="ones", trainable=False
        )
        self.accuracy = keras.metrics.Mean(name="accuracy")

    @property
    def table_row(self) -> str:
        return f"{'AA-' if 'phi' in self.players else ''}SVAE"

    @classmethod
    def build_networks(
        cls,
        shape: tuple[int, int, int],
        num_classes: int,
        *,
        width: int,
        latent_dim: int,
        adversary: bool = False,
        adversary_width: int | None = None,
        normalization: str | None = "batch",
        likelihood: str = "bernoulli",
        decoder_units: int | None = None,
        classifier_units: int | None = None,
        spectral: bool = False,
        modulation: str | None = None,
        augment: Sequence[str] = (),
        residual: bool = False,
        **kwargs: Any,
    ) -> Self:
        """Return a model with fresh DCGAN networks.

        Args:
            shape, width, latent_dim, normalization, modulation: See `tfgen.networks`.
            num_classes: Number of classes.
            adversary: Whether the model has a discriminator phi.
            adversary_width: Width of phi; None for `width`.
            likelihood: See `zoo.VAE`.
            decoder_units: Number of hidden units of a theta that is a multilayer perceptron, which on a CPU
                is several times faster, as each image is decoded for every class; None for a DCGAN decoder.
            classifier_units: Number of hidden units of an omega that pools its features,
                `tfgen.networks.pooled_classifier`; None for `tfgen.networks.classifier`.
            spectral, augment, residual: Options of phi, see `tfgen.networks.adversary`.
            kwargs: Arguments of the constructor.

        Raises:
            ValueError: An argument is out of range, or has no network to take it.
        """
        if decoder_units is None:
            scaled = likelihood != "bernoulli"
            theta = networks.generator(
                shape, latent_dim, width, num_classes, normalization, scaled, modulation=modulation
            )
        elif modulation is not None:
            raise ValueError(
                "A multilayer perceptron has no maps to modulate. "
                f"Received: modulation={modulation!r}, decoder_units={decoder_units}"
            )
        else:
            theta = networks.mlp_generator(shape, latent_dim, decoder_units, num_classes)
        eta = networks.encoder(shape, latent_dim, width, num_classes, normalization)
        if classifier_units is None:
            omega = networks.classifier(shape, num_classes, width, normalization)
        else:
            omega = networks.pooled_classifier(shape, num_classes, width, classifier_units)
        if adversary_width is not None and not adversary:
            raise ValueError(
                "adversary_width needs adversary=True. "
                f"Received: adversary_width={adversary_width}, adversary=False"
            )
        phi = networks.optional_adversary(
            adversary,
            shape,
            width if adversary_width is None else adversary_width,
            None,
            normalization,
            spectral=spectral,
            augment=augment,
            residual=residual,
        )
        arguments = {"num_classes": num_classes, "likelihood": likelihood, **kwargs}
        return cls(theta, eta, omega, phi, **arguments)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*super().metrics, self.accuracy]

    def before_fit(self, dataset: Any) -> None:
        """Set N_labelled/N, which makes the classifier's term unbiased in every minibatch."""
        self.labelled_share.assign(labelled_share(dataset))

    def objectives(
        self, images: tf.Tensor, labels: Any = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        labelled = labels >= 0
        index = tf.maximum(labels, 0)
        noise = self.latent_noise(images, POSTERIOR)
        logits = self.call_network(self.omega, images, training=training)
        class_bounds = self.class_bounds(images, noise, training)
        unlabelled_bounds = enumerated_bound(class_bounds, tf.nn.log_softmax(logits))
        self.track_bound(unlabelled_bounds)
        bounds = tf.where(labelled, tf.gather(class_bounds, index, batch_dims=1), unlabelled_bounds)
        objective, adversary = self.activated_objectives(images, labels, bounds, training)
        weights = self.alpha / self.labelled_share * tf.cast(labelled, tf.float32)
        objective += self.mean(weights * log_categorical(logits, index))
        self.accuracy.update_state(tf.argmax(logits, 1, labels.dtype) == labels, labelled)
        return {"theta": objective, "eta": objective, "omega": objective, **adversary}

    def bound(
        self, images: tf.Tensor, labels: tf.Tensor | None, noise: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Return U(x), the bound on log p_theta(x) that evaluation reports; labels are not read."""
        log_probabilities = tf.nn.log_softmax(
            self.call_network(self.omega, images, training=training)
        )
        return enumerated_bound(self.class_bounds(images, noise, training), log_probabilities)

    def class_bounds(
        self, images: tf.Tensor, noise: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Return L(x, t) of every class.

        Args:
            images: (b, h, w, c).
            noise: (b, k, d), shared by the classes.
            training: Whether batch normalization uses the batch's own statistics.

        Returns:
            (b, num_classes) nats.
        """
        classes, count = self.num_classes, tf.shape(images)[0]
        labels = tf.tile(tf.range(classes), [count])
        posterior = self.class_posteriors(images, labels, training)
        images, noise = (tf.repeat(x, classes, axis=0) for x in (images, noise))
        bounds = self.elbo(posterior, images, labels, noise, training)
        return tf.reshape(bounds, [-1, classes]) - tf.math.log(float(classes))

    def class_posteriors(
        self, images: tf.Tensor, labels: tf.Tensor | None, training: bool
    ) -> dict[str, tf.Tensor]:
        """Return q_eta(z|x, t) of every class; the trunk, which does not read t, runs once per image."""
        trunk, head = (self.eta.get_layer(name) for name in (networks.TRUNK, networks.HEAD))
        features = tf.repeat(trunk(images, training=training), self.num_classes, axis=0)
        return head([features, labels], training=training)

    def labels_to_generate(self, images: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor | None:
        """Draw t ~ p(t), uniform, so that generated images are draws from p_theta(x)."""
        uniform = self.uniform(images, 1, LABELS)[:, 0]
        return tf.cast(tf.floor(uniform * self.num_classes), tf.int32)

    def call(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Return class probabilities q_omega(t|x), (b, num_classes)."""
        return tf.nn.softmax(self.call_network(self.omega, images, training=training))

    def endpoints(self) -> endpoints.Endpoints:
        served = {
            **endpoints.generator(self),
            **endpoints.second_sampler(self),
            **endpoints.variational(self),
            **endpoints.classifier(self),
        }
        return {**served, **endpoints.discriminator(self)} if "phi" in self.players else served

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}
