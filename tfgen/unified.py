"""Players over x, y, z and the one training step that every model of the paper shares (Table 1).

A model of the zoo is a set of players: theta (generator), phi (discriminator), eta (inference net),
omega (classifier).  Each player ascends its own objective, all from the same point
(theta0, phi0, eta0, omega0), so that one forward pass serves all.
"""

import abc
import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

import tfgen.schedules  # noqa: F401  registered
from tfgen import (
    ascent,
    checks,
    global_batch,
    noise,
    old_names,
    penalties,
    replicas,
    sampling,
    tracking,
)
from tfgen.entries import Gated
from tfgen.networks import heads, views
from tfgen.noise import Batch, Samples
from tfgen.objectives import effective_sample_size, importance_weights

PLAYERS = ("theta", "phi", "eta", "omega")


class Unified(Gated):
    """Abstract base of the zoo: a subclass states `objectives` and `endpoints`, nothing else.

    Args:
        players: {name: network}, names among PLAYERS; networks are built Functional models and
            share no trainable variable.
        shape: (height, width, channels) of the images.
        num_classes: Number of class labels the model reads, or None.
        average: Decay of a moving average of theta (and of its batch statistics), from which
            samples are drawn; None keeps no average.  The effective decay starts at 0.1 and grows
            with the number of steps n as (1 + n)/(10 + n), so that early averages forget the start.
        seed: Seed of the sampling noise and of the order of arrays given to `fit`.
        r1: Weight of the R1 penalty on a phi that reads images; 0 for no penalty.
        r1_interval: Number of training steps per penalty, which is multiplied by this number.

    Raises:
        ValueError: Players share a trainable variable, or an argument is out of range.
    """

    # Traits of a model, read by its data, `fit`, the evaluation and pages.
    table_row = None  # key of `tfgen.paper.table.ROWS`, or keys, if Table 1 has the model
    heads = {"theta": heads.images, "phi": heads.logit, "omega": heads.logits}  # rules of outputs
    terms = 1  # number of means, each over its own images, whose sum is an objective
    importance_weighted = False  # whether `expectation` has the weights of Eq. 43
    likelihood = None  # p_theta(x|z), one of `tfgen.distributions.LIKELIHOODS`, if there is a bound
    binary_pixels = False  # whether p_theta(x|z) is of pixels in {0, 1}
    binary_code = False  # whether every unit of z is 0 or 1
    second_prior = None  # name of another distribution of z to sample from, beside p(z)
    num_categories = num_continuous = 0  # last columns of z: one-hot code, codes on [-1, 1]
    needs_labels = False  # whether it always learns from labels
    unlabelled = False  # whether label -1, no label, is allowed
    multi_domain = False  # whether it learns from data sets brought to one size and channels
    clustering = False  # whether the classes of `classify` are clusters, found without labels

    def __init__(
        self,
        players: dict[str, keras.Model],
        shape: Sequence[int],
        *,
        num_classes: int | None = None,
        average: float | None = None,
        seed: int = 0,
        r1: float = 0.0,
        r1_interval: int = 16,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        checks.check_players(players, average)
        checks.check_seed(seed)
        heads.try_out(self.heads, players)
        self.image_shape: Any = tuple(shape)
        self.num_classes = num_classes
        self.average = average
        self.seed = seed
        self._names = tuple(name for name in PLAYERS if name in players)
        for name in self._names:
            setattr(self, name, players[name])
        penalties.check_r1(self, r1, r1_interval)
        self.r1, self.r1_interval = r1, r1_interval
        if average is not None:
            self.theta_average = keras.models.clone_model(self.theta)
            self.theta_average.set_weights(self.theta.get_weights())
            self.theta_average.trainable = False
        self.steps = self._counter("steps")
        self.epochs = self._counter("epochs")
        self.trackers = {name: tracking.Tracker(name, self.terms) for name in self._names}
        self.effective = keras.metrics.Mean(name="ess")
        self.built = True

    @abc.abstractmethod
    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        """Return the objective that each player ascends, in nats per example.

        Args:
            images: (b, h, w, c) in [0, 1].
            labels: (b,) int32, -1 for an image without a label; None if none were given.
            training: Whether batch normalization uses the batch's own statistics.

        Returns:
            {player: scalar}.  Players that share one objective tensor share a backward pass.
        """

    @abc.abstractmethod
    def endpoints(self) -> dict[str, tuple[Callable, dict[str, tf.TensorSpec]]]:
        """Return served functions, the default first: {name: (function, {argument: tf.TensorSpec})}."""

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Every player ascends its own objective from the same point: one forward pass serves all."""
        images, labels = self._step_data(data)
        # Without the dependency Keras' last read of a stream of unknown length would step without data.
        with tf.control_dependencies(_tensors(images, labels)), global_batch.sizes_known(images):
            with tf.GradientTape(persistent=True) as tape:
                objectives, terms = self.assess(images, labels, training=True)
                objectives = self.add_penalties(objectives, images, labels)
                losses = {id(o): self.optimizer.scale_loss(-o) for o in objectives.values()}
            weights = self.trainable_variables
            self.optimizer.apply(
                ascent.gradients(tape, objectives, losses, self.players, weights), weights
            )
            self.steps.assign_add(1)
            if self.average is not None:
                ascent.update_average(self.theta_average, self.theta, self.average, self.steps)
            return self._track(terms)

    def add_penalties(
        self, objectives: dict[str, tf.Tensor], images: Any, labels: Any
    ) -> dict[str, tf.Tensor]:
        """Hook: return the objectives that training ascends, by default those given, less R1 if `r1`."""
        return penalties.subtract_r1(self, objectives, images, labels) if self.r1 else objectives

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        images, labels = self._step_data(data)
        with tf.control_dependencies(_tensors(images, labels)), global_batch.sizes_known(images):
            return self._track(self.assess(images, labels, training=False)[1])

    def assess(
        self, images: Any, labels: Any = None, training: bool = True
    ) -> tuple[dict[str, tf.Tensor], dict[str, list[tuple[Any, Any]]]]:
        """Return the objectives and, for reports, the means that they are sums of.

        Args:
            images, labels, training: See `objectives`.

        Returns:
            {player: scalar}, and {player: [(mean, number of images in the global batch)] of each term}.
        """
        objectives = self.objectives(images, labels, training)
        count, _ = global_batch.place(images)
        return objectives, {name: [(value, count)] for name, value in objectives.items()}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        effective = [self.effective] if self.importance_weighted else []
        return [*self.trackers.values(), *effective]

    @property
    def sampler(self) -> keras.Model:
        """Network that draws samples: the average of theta if one is kept, else theta."""
        return self.theta if self.average is None else self.theta_average

    def decoder(self) -> keras.Model:  # not a property, whose weights Keras would store again
        """Return the network z [, t] -> images, by default `sampler`; it may have further outputs."""
        return self.sampler

    # Networks, with labels or without.

    @property
    def conditional(self) -> bool:
        """Whether samples are drawn for a class, p_theta(x|t)."""
        return "theta" in self._names and len(self.decoder().inputs) == 2

    def call_network(
        self, network: keras.Model, x: Any, labels: Any = None, training: bool = False
    ) -> Any:
        """Return the network's output for x, or (x, t): float32, or float64 if all networks end in it."""
        given = [tf.convert_to_tensor(x)]
        if len(network.inputs) > 1:
            if labels is None:
                raise ValueError(
                    f"{network.name} of {self.name} reads labels. Received: labels=None"
                )
            given.append(tf.convert_to_tensor(labels))
        outputs = network(views.arrange_inputs(network, given), training=training)
        return tf.nest.map_structure(lambda value: tf.cast(value, self._precision), outputs)

    @property
    def _precision(self):
        ends = keras.tree.flatten([network.outputs for network in self.players.values()])
        return tf.float64 if all(end.dtype == "float64" for end in ends) else tf.float32

    def logits(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Return l_phi(x [, t]), (b,) float32: the discriminator's log-odds of real against generated."""
        outputs = self.call_network(self.phi, images, labels, training)
        return tf.cast(tf.reshape(outputs, [-1]), tf.float32)

    # Expectations and noise over the global batch, for any number of replicas.

    def mean(self, values: tf.Tensor) -> tf.Tensor:
        """Return this replica's share of E over the global batch; the sum over replicas is the mean."""
        count, _ = global_batch.place(values)
        return tf.reduce_sum(values) / tf.cast(count, values.dtype)

    def expectation(self, terms: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Return E over generated examples, uniform or with the importance weights of Eq. 43.

        Args:
            terms: (b,) log q^r(0|x) of the generated examples.
            logits: (b,) l(x), which give the weights if the model is `importance_weighted`; weights sum to
                1 over the global batch.
        """
        if not self.importance_weighted:
            return self.mean(terms)
        return tf.reduce_sum(self.importance(logits) * terms)

    def importance(self, logits: tf.Tensor) -> tf.Tensor:
        """Return this replica's weights of Eq. 43; the metric `ess` tracks their effective sample size.

        Args:
            logits: (b,) l(x).

        Returns:
            (b,) weights, which sum to 1 over the global batch.
        """
        over = global_batch.gather(logits)
        self.effective.update_state(effective_sample_size(importance_weights(over)))
        return importance_weights(logits, over)

    def noise(self, examples: tf.Tensor, size: int, stream: int) -> tf.Tensor:
        """Draw standard normal rows, (b, size), one for each of this replica's `examples`.

        They are a function of (seed, step, stream, index in the global batch); each use of noise within an
        objective has its own `stream`.
        """
        return self.batch_noise(examples).gaussian(size, stream)

    def uniform(self, examples: tf.Tensor, size: int, stream: int) -> tf.Tensor:
        """Draw rows uniform on [0, 1), otherwise as `noise`."""
        return self.batch_noise(examples).uniform(size, stream)

    def batch_noise(self, examples: tf.Tensor) -> Batch:
        """Return the `tfgen.noise.Batch` of this replica's batch, which `noise` and `uniform` draw from."""
        count, start = global_batch.place(examples)
        return noise.Batch(self.step_seed, count, start, start + tf.shape(examples)[0])

    def step_seed(self, stream: int) -> tf.Tensor:
        """Return the seed of stateless draws, a function of (seed, step, stream), equal on all replicas."""
        evaluated = next(iter(self.trackers.values())).batches  # steps stand still then
        return noise.step_seed(self.seed, stream, self.steps, evaluated)

    # Samples.

    @property
    def latent_dim(self) -> int:
        return self.decoder().inputs[0].shape[-1]

    def draw_prior(self, noise: Samples | Batch, stream: int = 0) -> tf.Tensor:
        """Draw z ~ p(z), by default N(0, I); training, samples and endpoints all draw here.

        Args:
            noise: Source of rows, as `tfgen.noise.Samples` and `tfgen.noise.Batch` are.
            stream: First stream to draw from.

        Returns:
            (b, latent_dim).
        """
        return noise.gaussian(self.latent_dim, stream)

    def prior(self, n: Any, seed: Any) -> tf.Tensor:
        """Draw z ~ p(z), (n, latent_dim), a function of the seed alone."""
        return self.draw_prior(noise.Samples(n, seed))

    def prior_like(self, examples: tf.Tensor, stream: int = 0) -> tf.Tensor:
        """Draw z ~ p(z) of a training step, one per example, (b, latent_dim)."""
        return self.draw_prior(self.batch_noise(examples), stream)

    def decode(self, latents: tf.Tensor, labels: Any = None) -> tf.Tensor:
        """Return images G_theta(z [, t]) with moving statistics.

        Args:
            latents: (b, latent_dim).
            labels: (b,) int32 if the model is conditional.

        Returns:
            (b, h, w, c) in [0, 1].
        """
        outputs = self.call_network(self.decoder(), latents, labels)
        return keras.tree.flatten(outputs)[0]  # a likelihood's scale may follow the images

    def codes(self, n: Any, seed: Any, labels: Any = None, prior: str | None = None) -> tf.Tensor:
        """Draw z of samples, (n, latent_dim), a function of the seed and the labels alone.

        Args:
            n, seed: See `sample`.
            labels: (n,) int32 or None.
            prior: None for p(z), or the model's `second_prior`.

        Raises:
            ValueError: The model has no such distribution.
        """
        if prior is None:
            return self._graphs.prior(n, seed)
        if prior != self.second_prior:
            raise ValueError(
                "prior must be None, 'aggregate' after `fit_sampler`, or 'truncated' for a "
                f"GAN with `truncation`. Received: prior={prior!r} for {self.name}"
            )
        return self.second_codes(n, seed, labels)

    def second_codes(self, n: Any, seed: Any, labels: Any) -> tf.Tensor:
        """Hook: draw z from the distribution that `second_prior` names, see `codes`."""
        raise NotImplementedError(
            f"{type(self).__name__} states second_prior, but not second_codes."
        )

    def sample(
        self, n: int, seed: int = 0, labels: Any = None, prior: str | None = None
    ) -> np.ndarray:
        """Draw images from p_theta(x) or p_theta(x|t); a seed gives the same images everywhere.

        Args:
            n: Number of images.
            seed: int.
            labels: (n,) class labels for a conditional model; by default arange(n) % num_classes.
            prior: None for z ~ p(z); "aggregate" for the mixture of `fit_sampler`, "truncated" for z
                times the `truncation` of a GAN, if the model has it.

        Returns:
            NumPy float32 (n, h, w, c) in [0, 1]; Bernoulli means for a VAE.  Working memory is that of
            `tfgen.sampling.BATCH` images.

        Raises:
            ValueError, TypeError: n, seed or labels break a rule.
        """
        labels = checks.sample_labels(self, n, seed, labels)
        latents = self.codes(n, seed, labels, prior)
        return self._graphs.images(latents, labels)

    @functools.cached_property
    def _graphs(self):
        return sampling.Graphs(self)

    # State.

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        config = old_names.renew_keys(config)
        networks = {
            # A copy: Keras empties the configuration that it reads a Functional model from.
            name: keras.saving.deserialize_keras_object(copy.deepcopy(config[name]), custom_objects)
            for name in PLAYERS
            if config.get(name) is not None
        }
        with heads.skip_trials():
            return cls(**{**config, **networks})

    def get_config(self) -> dict[str, Any]:
        networks = {
            name: keras.saving.serialize_keras_object(network)
            for name, network in self.players.items()
        }
        own = {"average": self.average, "seed": self.seed}
        penalty = {"r1": self.r1, "r1_interval": self.r1_interval} if self.r1 else {}
        return {**super().get_config(), **networks, **own, **penalty}

    @property
    def players(self) -> dict[str, keras.Model]:
        """Networks by player, {player: network}, in the order of PLAYERS."""
        return {name: getattr(self, name) for name in self._names}

    def _counter(self, name):
        return self.add_weight(
            name=name, shape=(), dtype="int64", initializer="zeros", trainable=False,
            aggregation="only_first_replica",
        )  # fmt: skip

    def _track(self, terms):
        for name, parts in terms.items():
            means, counts = zip(*parts, strict=True)
            self.trackers[name].update_state([mean * replicas.count() for mean in means], counts)
        return {metric.name: metric.result() for metric in self.metrics}


def _tensors(*parts):
    return [part for part in parts if tf.is_tensor(part)]
