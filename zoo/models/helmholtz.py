"""Helmholtz machines and the wake-sleep algorithm, Eq. 14."""

import math
from collections.abc import Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from tfgen import endpoints, networks
from tfgen.networks import sigmoid_belief
from tfgen.noise import Batch, Samples, uniform
from tfgen.objectives import importance_weighted_bound
from tfgen.unified import Unified

RECOGNIZED, DREAMED = range(2)  # streams of noise


@keras.saving.register_keras_serializable("zoo")
class Helmholtz(Unified):
    """Eq. 14: wake-sleep over binary layers h = (h_1 .. h_L), drawn without reparametrization.

        wake:   theta ascends   E_q_lambda(h|x)pdata(x)[log p_theta(x, h)]
        sleep:  lambda ascends  E_p_theta(x, h)[log q_lambda(h|x)]

    lambda is the player eta.  Each phase holds the other's distribution fixed, and no gradient passes
    through a binary state.  By section 3.5, wake with h = z is the VAE's step of theta (Eq. 11), and
    sleep with h = y is phi's step (Eq. 3): q_lambda(y|x) is a discriminator.  Training images should be
    binary, since eta learns from binary dreams.

    In samples and endpoints z is h_1, as states or as their means in [0, 1]: p(z) = p_theta(h_1), drawn
    from the top layer down, and images are the means of p_theta(x|h_1).

    Args:
        theta: Generative net, [h_1 .. h_L], (b, units) each -> [images (b, h, w, c) that end in a
            sigmoid, logits of h_1 .. h_L]; the logits of h_L are those of its prior.  See
            `tfgen.networks.sigmoid_belief.generative`.
        eta: Recognition net, [images, h_1 .. h_L-1] -> [logits of h_1 .. h_L].
        kwargs: Arguments of `tfgen.unified.Unified`.

    Raises:
        ValueError: The networks' layers differ, or an output reads a layer other than its neighbor.

    Source: Hinton et al. (1995), The wake-sleep algorithm; Hu et al. (2018), section 3.5.

    Examples:
        >>> import tfgen, zoo
        >>> model = zoo.Helmholtz.build_networks((8, 8, 1), None, units=(12, 4))  # h_1, h_2
        >>> model.compile("adam")
        >>> history = model.fit(
        ...     tfgen.data.load("digits", binarize=True), steps_per_epoch=2, verbose=0
        ... )
        >>> sorted(history.history)
        ['bound', 'eta', 'theta']
        >>> model.prior(3, seed=0).shape  # states of h_1
        TensorShape([3, 12])
    """

    table_row = ("wake", "sleep")
    likelihood = "bernoulli"
    binary_pixels = True

    def __init__(self, theta: keras.Model, eta: keras.Model, **kwargs: Any):
        _check_chain(theta, eta)
        for network in (networks.before_sigmoid(theta), eta):
            sigmoid_belief.conditionals(network)  # raises unless each reads its neighbor alone
        super().__init__({"theta": theta, "eta": eta}, eta.inputs[0].shape[1:], **kwargs)
        self.bound_tracker = keras.metrics.Mean(name="bound")

    @classmethod
    def build_networks(
        cls,
        shape: tuple[int, int, int],
        num_classes: int | None,
        *,
        units: Sequence[int],
        **kwargs: Any,
    ) -> Self:
        """Return a model with fresh networks.

        Args:
            shape: (h, w, c) of the images.
            num_classes: Number of classes of the data set, whose labels are not read.
            units: Number of units of each layer h_1 .. h_L.
            kwargs: Arguments of the constructor.
        """
        return cls(
            sigmoid_belief.generative(shape, units),
            sigmoid_belief.recognition(shape, units),
            **kwargs,
        )

    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        noise = self.uniform(images, sum(self.units), RECOGNIZED)
        states = self.recognize(images, noise)
        log_p = self.log_joint(images, states)
        self.track_bound(log_p - self.log_recognition(images, states))
        dreams, causes = self.dream(images)
        return {"theta": self.mean(log_p), "eta": self.mean(self.log_recognition(dreams, causes))}

    def recognize(self, images: tf.Tensor, uniforms: list[tf.Tensor]) -> list[tf.Tensor]:
        """Draw h ~ q_lambda(h|x), the states of h_1 .. h_L, from uniform noise (b, all units)."""
        return sigmoid_belief.sample_recognition(
            self.eta, images, tf.split(uniforms, self.units, axis=1)
        )

    def dream(self, examples: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Draw x, h ~ p_theta(x, h): as many binary images as `examples`, and the states of h_1 .. h_L."""
        sizes = [math.prod(self.image_shape), *self.units]
        uniforms = tf.split(self.uniform(examples, sum(sizes), DREAMED), sizes, axis=1)
        images, *states = sigmoid_belief.sample_generative(
            networks.before_sigmoid(self.theta), uniforms
        )
        return images, states

    def log_joint(self, images: tf.Tensor, states: list[tf.Tensor]) -> tf.Tensor:
        """Return log p_theta(x, h), (b,) nats."""
        logits = networks.before_sigmoid(self.theta)(states)
        return sigmoid_belief.log_probability([images, *states], logits)

    def log_recognition(self, images: tf.Tensor, states: list[tf.Tensor]) -> tf.Tensor:
        """Return log q_lambda(h|x), (b,) nats."""
        logits = self.eta([tf.convert_to_tensor(images), *states[:-1]])  # bare if L = 1
        return sigmoid_belief.log_probability(states, keras.tree.flatten(logits))

    def bound(self, images: tf.Tensor, labels: tf.Tensor | None, noise: tf.Tensor) -> tf.Tensor:
        """Return log 1/k sum_i p_theta(x, h_i)/q_lambda(h_i|x), h_i ~ q_lambda(h|x); Eq. 11 if k = 1.

        Args:
            images: (b, h, w, c).
            labels: Not read.
            noise: (b, k, all units) of `bound_noise`.

        Returns:
            (b,) nats per image.
        """
        k, size = noise.shape[1:]
        images = tf.repeat(images, k, axis=0)
        states = self.recognize(images, tf.reshape(noise, [-1, size]))
        log_weights = self.log_joint(images, states) - self.log_recognition(images, states)
        return importance_weighted_bound(tf.reshape(log_weights, [-1, k]))

    def bound_noise(self, n: int, k: int, seed: Any) -> tf.Tensor:
        """Return noise for `bound`, (n, k, size): k states of each of n images, from a seed (2,)."""
        return uniform([n, k, sum(self.units)], seed)

    def track_bound(self, bounds: tf.Tensor) -> None:
        """Update the metric `bound`, the bound on the log-likelihood of the real images."""
        self.bound_tracker.update_state(bounds)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*super().metrics, self.bound_tracker]

    @property
    def units(self) -> list[int]:
        """Number of units of each layer h_1 .. h_L."""
        return [states.shape[-1] for states in self.theta.inputs]

    # Samples: z is h_1.

    def decoder(self) -> keras.Model:
        return keras.Model(self.sampler.inputs[:1], self.sampler.outputs[0])

    def draw_prior(self, noise: Samples | Batch, stream: int = 0) -> tf.Tensor:
        """Draw h_1 ~ p_theta(h_1), (b, units)."""
        uniforms = noise.uniform(sum(self.units), stream)
        return sigmoid_belief.sample_generative(
            self.sampler, tf.split(uniforms, self.units, axis=1)
        )[0]

    def call(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Return reconstructions: the means of p_theta(x|h_1) at the means of q_lambda(h_1|x)."""
        return self.decode(self.encode(images))

    def encode(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the means of q_lambda(h_1|x), (b, units)."""
        return tf.sigmoid(sigmoid_belief.conditionals(self.eta)[0](images))

    def endpoints(self) -> endpoints.Endpoints:
        def encode(images):
            return {"latents": self.encode(endpoints.binary(self, images))}

        def noise(seeds):
            return endpoints.each(lambda seed: self.bound_noise(1, 1, [seed, 0])[0], seeds)

        def reconstruct(images, seeds):
            images = endpoints.binary(self, images, seeds)
            return {"images": self.decode(self.recognize(images, noise(seeds)[:, 0])[0])}

        def bound(images, seeds):
            images = endpoints.binary(self, images, seeds)
            return {"bound": self.bound(images, None, noise(seeds))}

        read = {"images": endpoints.images_spec(self)}
        seeded = {**read, "seeds": endpoints.SEEDS}
        functions = {
            "encode": (encode, read),
            "reconstruct": (reconstruct, seeded),
            "bound": (bound, seeded),
        }
        return {**endpoints.generator(self), **endpoints.complete(self, functions)}


def _check_chain(theta, eta):
    """Raise unless theta maps h_1 .. h_L to x, h_1 .. h_L, and eta maps x, h_1 .. h_L-1 to h_1 .. h_L."""
    (read, generated), (seen, inferred) = (
        [[tuple(end.shape[1:]) for end in ends] for ends in (network.inputs, network.outputs)]
        for network in (theta, eta)
    )
    images = generated[0]
    if generated != [images, *read] or seen != [images, *read[:-1]] or inferred != read:
        raise ValueError(
            "theta must generate x, h_1 .. h_L from h_1 .. h_L, and eta infer h_1 .. h_L from x, "
            f"h_1 .. h_L-1. Received: theta from {read} to {generated}, eta from {seen} to {inferred}"
        )
