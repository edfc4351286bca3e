"""Players over x, y, z and the one training step that every model of the paper shares (Table 1).

A model of the zoo is a set of players: theta (generator), phi (discriminator), eta (inference net),
omega (classifier).  Each player ascends its own objective, all from the same point
(theta0, phi0, eta0, omega0), so that one forward pass serves all.
"""

import abc
import copy
import functools

import keras
import numpy as np
import tensorflow as tf

from tfgen import checks, layers, noise, old_names, progress, schedules, tracking  # noqa: F401  schedules are registered
from tfgen import data as datasets
from tfgen.entries import Gated
from tfgen.gate import Images, Labels, unpack
from tfgen.networks import heads
from tfgen.objectives import effective_sample_size, importance_weights

PLAYERS = ("theta", "phi", "eta", "omega")
SAMPLE_BATCH = 256


class Unified(Gated):
    """Abstract base of the zoo: subclasses state `objectives` and `endpoints`, nothing else is needed.

    Args:
        players: {name: network}, names among PLAYERS; networks are built Functional models and
            share no trainable variable.
        shape: (height, width, channels) of the images.
        num_classes: number of class labels the model reads, or None.
        average: decay of a moving average of theta (and of its batch statistics), from which
            samples are drawn; None keeps no average.  The effective decay starts at 0.1 and grows
            with the number of steps n as (1 + n)/(10 + n), so that early averages forget the start.
        seed: of the sampling noise and of the order of arrays given to `fit`.

    Raises:
        ValueError: players share a trainable variable, or an argument is out of range.
    """

    def __init__(self, players, shape, *, num_classes=None, average=None, seed=0, **kwargs):
        super().__init__(**kwargs)
        checks.check_players(players, average)
        checks.check_seed(seed)
        heads.try_out(self.heads, players)
        self.image_shape = tuple(shape)
        self.num_classes = num_classes
        self.average = average
        self.seed = seed
        self._names = tuple(name for name in PLAYERS if name in players)
        for name in self._names:
            setattr(self, name, players[name])
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
    def objectives(self, images, labels=None, training=True):
        """The objective that each player ascends, in nats per example.

        Args:
            images: (b, h, w, c) in [0, 1].
            labels: (b,) int32, -1 for an image without a label; None if none were given.
            training: whether batch normalization uses the batch's own statistics.

        Returns:
            {player: scalar}.  Players whose objective is one and the same tensor share a backward pass.
        """

    @abc.abstractmethod
    def endpoints(self):
        """Served functions: {name: (function, {argument: tf.TensorSpec})}, the first is the default."""

    table_row = None  # the model's key in `tfgen.paper.table.ROWS`, or keys, if Table 1 has it

    @classmethod
    def load_data(cls, *, batch_size, seed, **data):
        """The batches that a recipe's model learns from, by default `tfgen.data.load` of its data.

        With `held_out`, a share, instead a pair: those batches and the ones that choose the epoch.
        """
        load = datasets.load_with_validation if "held_out" in data else datasets.load
        return load(**data, batch_size=batch_size, seed=seed)

    # Makes the batches of arrays (x, y) given to `fit`; keywords: batch_size, seed, shuffle.
    from_arrays = staticmethod(datasets.batches)

    def train_step(self, data):
        """Every player ascends its own objective from the same point: one forward pass serves all."""
        images, labels = self._step_data(data)
        # Without the dependency Keras' last look at a stream of unknown length would step on no data.
        with tf.control_dependencies(_tensors(images, labels)):
            with tf.GradientTape(persistent=True) as tape:
                objectives, terms = self.assess(images, labels, training=True)
                objectives = self.add_penalties(objectives, images, labels)
                losses = {
                    id(objective): self.optimizer.scale_loss(-objective)
                    for objective in objectives.values()
                }
            gradients = {}
            for key, loss in losses.items():
                variables = [
                    variable
                    for name, objective in objectives.items()
                    if id(objective) == key
                    for variable in self.players[name].trainable_variables
                ]
                found = tape.gradient(loss, variables)
                for variable, gradient in zip(variables, found, strict=True):
                    found = tf.zeros_like(variable) if gradient is None else gradient
                    gradients[id(variable)] = found
            weights = self.trainable_variables
            self.optimizer.apply(_after_all([gradients[id(w)] for w in weights]), weights)
            self.steps.assign_add(1)
            if self.average is not None:
                self._update_average()
            return self._track(terms)

    def add_penalties(self, objectives, images, labels):
        """Hook: the objectives that training ascends, by default the objectives themselves."""
        return objectives

    def test_step(self, data):
        images, labels = self._step_data(data)
        with tf.control_dependencies(_tensors(images, labels)):
            return self._track(self.assess(images, labels, training=False)[1])

    def predict_step(self, data):
        return self(*unpack(data), training=False)

    terms = 1  # means over images of their own, of which an objective is the sum

    def assess(self, images, labels=None, training=True):
        """The objectives, and what they are the sums of, for reports.

        Args:
            images, labels, training: of `objectives`.

        Returns:
            {player: scalar}, and {player: [(mean, number of images in the global batch)] of each term}.
        """
        objectives = self.objectives(images, labels, training)
        count, _ = self._batch(images)
        return objectives, {name: [(value, count)] for name, value in objectives.items()}

    @property
    def metrics(self):
        effective = [self.effective] if self.importance_weighted else []
        return [*self.trackers.values(), *effective]

    @property
    def sampler(self):
        """The generator that samples are drawn from: the average of theta if one is kept."""
        return self.theta if self.average is None else self.theta_average

    def decoder(self):  # no property: Keras would store its weights under that name
        """The network z [, t] -> images: by default all of `sampler`, perhaps with further outputs."""
        return self.sampler

    # {player: rule of its outputs}, see `tfgen.networks.heads`.
    heads = {"theta": heads.images, "phi": heads.logit, "omega": heads.logits}
    binary_pixels = False  # whether p_theta(x|z) is of pixels in {0, 1}
    importance_weighted = False  # whether `expectation` weighs by Eq. 43
    needs_labels = False  # whether it learns from labels however it is built
    unlabelled = False  # whether label -1, no label, may be given
    multi_domain = False  # whether it learns from data sets brought to one size and channels
    clustering = False  # whether `classify` gives clusters, found without labels
    num_categories = num_continuous = 0  # last columns of z: a one-hot code, and ones on [-1, 1]

    def before_fit(self, dataset):
        """Hook: learn what must be known of the whole data set before training; by default nothing."""

    @property
    def image_rule(self):
        """The rule of the images that this model learns from."""
        return Images(self.image_shape)

    @property
    def label_rule(self):
        """The rule of their labels, or None if labels are passed over."""
        if self.num_classes is None:
            return None
        return Labels(self.num_classes, self.unlabelled)

    # Networks, read with the labels or without.

    @property
    def conditional(self):
        """Whether samples are drawn for a class, p_theta(x|t)."""
        return "theta" in self._names and len(self.decoder().inputs) == 2

    def call_network(self, network, x, labels=None, training=False):
        """The network's output for x, or for (x, t) if it has a second input; float32 under any policy."""
        x = tf.convert_to_tensor(x)
        if len(network.inputs) > 1:
            if labels is None:
                raise ValueError(
                    f"{network.name} of {self.name} reads labels. Received: labels=None"
                )
            x = [x, tf.convert_to_tensor(labels)]
        return tf.nest.map_structure(_as_float32, network(x, training=training))

    def logits(self, images, labels=None, training=False):
        """l_phi(x [, t]), (b,) float32: the discriminator's log-odds of real against generated."""
        outputs = self.call_network(self.phi, images, labels, training)
        return tf.cast(tf.reshape(outputs, [-1]), tf.float32)

    # Expectations and noise over the global batch, whatever the number of replicas.

    @property
    def replicas(self):
        return tf.distribute.get_strategy().num_replicas_in_sync

    def mean(self, values):
        """E over the global batch: this replica's share of the mean, shares are summed over replicas."""
        count, _ = self._batch(values)
        return tf.reduce_sum(values) / tf.cast(count, values.dtype)

    def expectation(self, terms, logits):
        """E over generated examples: uniform, or by the importance weights of Eq. 43.

        Args:
            terms: (b,) log q^r(0|x) of the generated examples.
            logits: (b,) l(x), of which the weights are made if the model is `importance_weighted`;
                they sum to 1 over the global batch.
        """
        if not self.importance_weighted:
            return self.mean(terms)
        return tf.reduce_sum(self.importance(logits) * terms)

    def importance(self, logits):
        """This replica's weights of Eq. 43; their effective sample size is tracked as `ess`.

        Args:
            logits: (b,) l(x).

        Returns:
            (b,), which sum to 1 over the global batch.
        """
        over = self.gather(logits)
        self.effective.update_state(effective_sample_size(importance_weights(over)))
        return importance_weights(logits, over)

    def gather(self, values):
        """The values of all replicas, (global batch, ...), as constants."""
        values, context = tf.stop_gradient(values), tf.distribute.get_replica_context()
        return context.all_gather(values, axis=0) if context.num_replicas_in_sync > 1 else values

    def noise(self, examples, size, stream):
        """Standard normal noise, a function of (seed, step, stream, index in the global batch).

        Args:
            examples: tensor whose first axis is this replica's batch.
            size: length of each row.
            stream: int, one for each use of noise within an objective.

        Returns:
            (b, size).
        """
        return self.batch_noise(examples).gaussian(size, stream)

    def uniform(self, examples, size, stream):
        """Noise uniform on [0, 1), otherwise as `noise`."""
        return self.batch_noise(examples).uniform(size, stream)

    def batch_noise(self, examples):
        """`tfgen.noise.Batch` of this replica's batch, of which `noise` and `uniform` are made."""
        count, start = self._batch(examples)
        return noise.Batch(self.step_seed, count, start, start + tf.shape(examples)[0])

    def step_seed(self, stream):
        """Seed of stateless draws, a function of (seed, step, stream), the same on every replica."""
        evaluated = next(iter(self.trackers.values())).batches  # steps stand still then
        return noise.step_seed(self.seed, stream, self.steps, evaluated)

    def total(self, count):
        """Sum of a number over the replicas."""
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync == 1:
            return count
        return tf.reduce_sum(context.all_gather(count[None], axis=0))

    def _batch(self, values):
        """Number of examples in the global batch, and the index of this replica's first."""
        local, context = tf.shape(values)[0], tf.distribute.get_replica_context()
        if context.num_replicas_in_sync == 1:
            return local, 0
        counts = context.all_gather(local[None], axis=0)
        return tf.reduce_sum(counts), tf.reduce_sum(counts[: context.replica_id_in_sync_group])

    # Samples.

    @property
    def latent_dim(self):
        return self.decoder().inputs[0].shape[-1]

    def draw_prior(self, noise, stream=0):
        """z ~ p(z), by default N(0, I): stated once for training, samples and endpoints.

        Args:
            noise: source of rows, as `tfgen.noise.Samples` and `tfgen.noise.Batch` are.
            stream: the first stream to draw from.

        Returns:
            (b, latent_dim).
        """
        return noise.gaussian(self.latent_dim, stream)

    def prior(self, n, seed):
        """z ~ p(z), (n, latent_dim), a function of the seed alone."""
        return self.draw_prior(noise.Samples(n, seed))

    def prior_like(self, examples, stream=0):
        """z ~ p(z) of a training step, one for each example, (b, latent_dim)."""
        return self.draw_prior(self.batch_noise(examples), stream)

    def decode(self, latents, labels=None):
        """Images G_theta(z [, t]) with moving statistics.

        Args:
            latents: (b, latent_dim).
            labels: (b,) int32 if the model is conditional.

        Returns:
            (b, h, w, c) in [0, 1].
        """
        outputs = self.call_network(self.decoder(), latents, labels)
        return keras.tree.flatten(outputs)[0]  # a likelihood's scale may follow the images

    # As graphs of any number of rows, traced once; under every `compile` without XLA, whose random
    # streams and rounding are others.

    @functools.cached_property
    def _prior(self):
        scalar = tf.TensorSpec((), tf.int32)
        return tf.function(self.prior, input_signature=[scalar, scalar], jit_compile=False)

    @functools.cached_property
    def _decode(self):
        read = [tf.TensorSpec((None, self.latent_dim), tf.float32)]
        read += [tf.TensorSpec((None,), tf.int32)] if self.conditional else []
        return tf.function(self.decode, input_signature=read, jit_compile=False)

    def codes(self, n, seed, labels=None, prior=None):
        """z of samples, (n, latent_dim), a function of the seed and the labels alone.

        Args:
            n, seed: as in `sample`.
            labels: (n,) int32 or None.
            prior: None for p(z); some models have fitted other distributions of codes.

        Raises:
            ValueError: the model has no such distribution.
        """
        if prior is not None:
            raise ValueError(f"prior must be None for {self.name}. Received: prior={prior!r}")
        return self._prior(n, seed)

    def sample(self, n, seed=0, labels=None, prior=None):
        """Images drawn from p_theta(x) or p_theta(x|t); the same seed gives the same images everywhere.

        Args:
            n: number of images.
            seed: int.
            labels: (n,) class labels for a conditional model; by default arange(n) % num_classes.
            prior: None draws z ~ p(z); "aggregate" the mixture of `fit_sampler`, for models that have it.

        Returns:
            NumPy float32 (n, h, w, c) in [0, 1]; Bernoulli means for a VAE.  Memory beyond them is that of
            `SAMPLE_BATCH` images.

        Raises:
            ValueError, TypeError: n, seed or labels break a rule.
        """
        labels = checks.sample_labels(self, n, seed, labels)
        latents = self.codes(n, seed, labels, prior)
        images = np.empty((n, *self.image_shape), np.float32)
        for start in progress.track(range(0, n, SAMPLE_BATCH), "sampling"):
            rows = slice(start, start + SAMPLE_BATCH)
            chunk = [latents[rows]] if labels is None else [latents[rows], labels[rows]]
            images[rows] = self._decode(*chunk)
        return images

    def _repr_html_(self):
        from tfgen.drawing import notebook

        return notebook.page(self)

    def release(self):
        """A copy to publish: theta is its average, without the average itself and optimizer slots.

        Returns:
            A model of the same class, compiled if this one is.
        """
        released = type(self).from_config({**self.get_config(), "average": None})
        for name, network in self.players.items():
            source = self.sampler if name == "theta" else network
            released.players[name].set_weights(source.get_weights())
        if self.compiled:
            released.compile(type(self.optimizer).from_config(self.optimizer.get_config()))
        return released

    def serving_copy(self):
        """A copy to export: theta is its average, and filters are laid out for inference."""
        copied = self.release()
        for name, network in copied.players.items():
            setattr(copied, name, layers.fold(network))
        return copied

    # State.

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = old_names.renew_keys(config)
        networks = {
            # A copy: Keras empties the configuration that it reads a Functional model from.
            name: keras.saving.deserialize_keras_object(copy.deepcopy(config[name]), custom_objects)
            for name in PLAYERS
            if config.get(name) is not None
        }
        with heads.skip_trials():
            return cls(**{**config, **networks})

    def get_config(self):
        networks = {
            name: keras.saving.serialize_keras_object(network)
            for name, network in self.players.items()
        }
        return {**super().get_config(), **networks, "average": self.average, "seed": self.seed}

    @property
    def players(self):
        """{player: network}, in the order of PLAYERS."""
        return {name: getattr(self, name) for name in self._names}

    def _counter(self, name):
        return self.add_weight(
            name=name, shape=(), dtype="int64", initializer="zeros", trainable=False,
            aggregation="only_first_replica",
        )  # fmt: skip

    def _update_average(self):
        steps = tf.cast(self.steps, tf.float32)
        decay = tf.minimum(self.average, (1 + steps) / (10 + steps))
        for mean, value in zip(self.theta_average.weights, self.theta.weights, strict=True):
            mean.assign(mean + (1 - tf.cast(decay, mean.dtype)) * (value - mean))

    def _track(self, terms):
        for name, parts in terms.items():
            means, counts = zip(*parts, strict=True)
            self.trackers[name].update_state([mean * self.replicas for mean in means], counts)
        return {metric.name: metric.result() for metric in self.metrics}


def _tensors(*parts):
    return [part for part in parts if tf.is_tensor(part)]


def _as_float32(value):
    """Half precision as float32; float64, of exact cases, as it is."""
    return tf.cast(value, tf.float32) if value.dtype in (tf.float16, tf.bfloat16) else value


def _after_all(gradients):
    """The gradients, each to be had when all are.

    A weight may be read for another player's gradient alone, as wake reads q_lambda.  TensorFlow's
    graph optimizer takes the all-reduce of one replica, an IdentityN of all gradients, for reason enough
    that the read comes before the weight's update, and then dissolves it: the update may come first.
    """
    with tf.control_dependencies([tf.group(*gradients)]):
        return [tf.identity(gradient) for gradient in gradients]
