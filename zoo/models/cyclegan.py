"""CycleGAN, appendix D: an AAE translates one domain to the other, an InfoGAN translates it back."""

from typing import Any, Self

import keras
import tensorflow as tf

from tfgen import checks, endpoints, global_batch, networks
from tfgen import data as datasets
from tfgen.gate import Images
from tfgen.layers import ImagePool
from tfgen.networks import heads
from tfgen.objectives import FAKE, REAL, log_laplace, log_q, reverse
from tfgen.unified import Unified


@keras.saving.register_keras_serializable("zoo")
class CycleGAN(Unified):
    """Appendix D, Eq. 29-32 and 9-10: CycleGAN; with `importance_weighted` IWCycleGAN.

    x is an image of domain A and z one of domain B, unpaired.  The AAE's eta translates x to z,
    InfoGAN's theta z to x, and each player ascends its own terms of the sum of both:

        AAE,      y = 1: z ~ p_B;    y = 0: z = E_eta(x), x ~ p_A
            phi:         1/2 E_B[log q(1|z)] + 1/2 E_A[log q(0|E(x))]
            theta, eta:  E_A[log q^r(0|E(x)) + log p_theta(x|E(x))]
        InfoGAN,  y = 1: x ~ p_A;    y = 0: x = G_theta(z), z ~ p_B
            phi:         1/2 E_A[log q(1|x)] + 1/2 E_B[log q(0|G(z))]
            theta, eta:  E_B[log q^r(0|G(z)) + log q_eta(z|G(z))]

    Both likelihoods are Laplace: their logarithms, -lambda mean |x - G(E(x))| without constants, are
    the cycle loss.  The adversarial terms are the paper's cross-entropies, where Zhu et al. have least
    squares.  Importance weights multiply log q^r alone, with one softmax per direction; the paper does
    not define them for CycleGAN.

    Args:
        theta: Translator, images of B -> images of A.
        eta: Translator, images of A -> images of B.
        phi: Discriminators of both domains, [images of A, images of B] -> [logits (b, 1)] * 2.
        cycle_weight: lambda >= 0.
        importance_weighted: Whether to weight log q^r of the translated images by Eq. 43.
        pool: Number of past translated images kept per domain; half of the translated images that phi
            learns from are drawn from them (Shrivastava et al. 2017).  0 keeps none.
        kwargs: Arguments of `tfgen.unified.Unified`.

    Raises:
        ValueError: The networks do not fit each other, or a number is negative.

    Source: Zhu, Park, Isola & Efros (2017); Hu et al. (2018), appendix D.

    Examples:
        >>> import tfgen, zoo
        >>> model = zoo.CycleGAN.build_networks((8, 8, 1), None, width=4, blocks=1)
        >>> model.compile("adam")
        >>> images, _ = tfgen.data.arrays("digits", split="train[:64]")
        >>> images = images.astype("float32") / 255
        >>> history = model.fit((images, 1 - images), verbose=0)  # digits and negatives, unpaired
        >>> sorted(history.history)
        ['eta', 'phi', 'theta']
        >>> model.translate_ab(images[:2]).shape
        TensorShape([2, 8, 8, 1])
    """

    from_arrays = staticmethod(datasets.unpaired_batches)

    heads = {**Unified.heads, "eta": heads.images}

    def __init__(
        self,
        theta: keras.Model,
        eta: keras.Model,
        phi: keras.Model,
        cycle_weight: float = 10.0,
        importance_weighted: bool = False,
        pool: int = 0,
        **kwargs: Any,
    ):
        _check_translators(theta, eta, phi)
        checks.check_not_negative(cycle_weight=cycle_weight, pool=pool)
        players = {"theta": theta, "phi": phi, "eta": eta}
        super().__init__(players, theta.output_shape[1:], **kwargs)
        self.image_shape_b = eta.output_shape[1:]
        self.cycle_weight = cycle_weight
        self.importance_weighted = importance_weighted
        self.pool = pool
        shapes = (self.image_shape, self.image_shape_b) if pool else ()
        self.pools = [ImagePool(pool, shape) for shape in shapes]

    @property
    def table_row(self) -> str:
        return "IWCycleGAN" if self.importance_weighted else "CycleGAN"

    @classmethod
    def build_networks(
        cls,
        shape: tuple[int, int, int],
        num_classes: int | None,
        *,
        width: int,
        blocks: int,
        normalization: str | None = "batch",
        **kwargs: Any,
    ) -> Self:
        """Return a model with fresh networks for two domains of one shape.

        Args:
            shape: (h, w, c) of the images of either domain.
            num_classes: Number of classes of the data set, whose labels are not read.
            width, blocks: Size of the translators; the discriminators have twice the width.
            normalization: See `tfgen.networks`.
            kwargs: Arguments of the constructor.
        """
        theta, eta = (
            networks.translator(shape, shape, width, blocks, normalization) for _ in range(2)
        )
        phi = networks.patch_discriminators(shape, shape, 2 * width, normalization)
        return cls(theta, eta, phi, **kwargs)

    @classmethod
    def load_data(cls, *, batch_size: int, seed: int, **data: Any) -> tf.data.Dataset:
        return datasets.load_unpaired(**data, batch_size=batch_size, seed=seed)

    @property
    def label_rule(self) -> Images:  # the other domain's images have the place of labels
        return Images(self.image_shape_b, "images_b")

    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        aae, infogan = self.direction_objectives(images, labels, training)
        translators, discriminators = aae[0] + infogan[0], aae[1] + infogan[1]
        return {"theta": translators, "eta": translators, "phi": discriminators}

    def direction_objectives(
        self, x: tf.Tensor, z: tf.Tensor, training: bool = True
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
        """Return the objectives of the AAE and of InfoGAN, each a pair (theta's and eta's, phi's)."""
        inferred = self.call_network(self.eta, x, training=training)  # E(x), of B
        generated = self.call_network(self.theta, z, training=training)  # G(z), of A
        log_p = log_laplace(
            x, self.call_network(self.theta, inferred, training=training), self.cycle_weight
        )
        log_q_eta = log_laplace(
            z, self.call_network(self.eta, generated, training=training), self.cycle_weight
        )
        real_x, real_z = self.domain_logits(x, z, training)
        fake_x, fake_z = self.domain_logits(generated, inferred, training)
        past_x, past_z = fake_x, fake_z
        if self.pools and training:
            past_x = self.exchange_with_pool(0, generated)
            past_z = self.exchange_with_pool(1, inferred)
            past_x, past_z = self.domain_logits(past_x, past_z, training)
        return (
            self.adversarial_objectives(real_z, fake_z, past_z, log_p),
            self.adversarial_objectives(real_x, fake_x, past_x, log_q_eta),
        )

    def adversarial_objectives(
        self, real: tf.Tensor, fake: tf.Tensor, past: tf.Tensor, log_likelihood: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """E[log q^r(0|.) + log likelihood] and 1/2 E[log q(1|.)] + 1/2 E[log q(0|.)] of one direction."""
        translators = self.expectation(log_q(reverse(fake), FAKE), fake) + self.mean(log_likelihood)
        discriminator = (self.mean(log_q(real, REAL)) + self.mean(log_q(past, FAKE))) / 2
        return translators, discriminator

    def domain_logits(
        self, images_a: tf.Tensor, images_b: tf.Tensor, training: bool = False
    ) -> list[tf.Tensor]:
        """Return l_phi(x) and l_phi(z), (b,) float32 each: log-odds of real against translated."""
        logits = self.phi([images_a, images_b], training=training)
        return [tf.cast(tf.reshape(domain, [-1]), tf.float32) for domain in logits]

    def exchange_with_pool(self, domain: int, images: tf.Tensor) -> tf.Tensor:
        """Add the images of all replicas to the pool; return this replica's, some replaced by past ones."""
        _, start = global_batch.place(images)
        given = self.pools[domain](global_batch.gather(images), self.step_seed(stream=domain))
        return given[start : start + tf.shape(images)[0]]

    def translate_ab(self, images: tf.Tensor) -> tf.Tensor:
        """Translate images of A to images of B, E_eta(x), with moving statistics."""
        return self.call_network(self.eta, images, training=False)

    def translate_ba(self, images: tf.Tensor) -> tf.Tensor:
        """Translate images of B to images of A, G_theta(z), with moving statistics."""
        return self.call_network(self.sampler, images, training=False)

    def call(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Translate images of A to images of B."""
        return self.call_network(self.eta, images, training=training)

    def endpoints(self) -> endpoints.Endpoints:
        return endpoints.translator(self)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "cycle_weight": self.cycle_weight,
            "importance_weighted": self.importance_weighted,
            "pool": self.pool,
        }


def _check_translators(theta, eta, phi):
    """Raise unless theta and eta translate between the same two domains, A and B, and phi reads both."""
    made = [tuple(network.output_shape[1:]) for network in (theta, eta)]
    translated = [tuple(network.inputs[0].shape[1:]) for network in (eta, theta)]
    if translated != made:
        raise ValueError(
            "theta must translate from B to A, and eta from A to B. "
            f"Received: theta from {translated[1]} to {made[0]}, eta from {translated[0]} to {made[1]}"
        )
    read = [tuple(images.shape[1:]) for images in phi.inputs]
    if read != made or len(phi.outputs) != 2:
        raise ValueError(
            "phi must read images of A, which theta makes, and of B, which eta makes, and return a logit "
            f"for each. Received: theta and eta={made}, phi={read} with {len(phi.outputs)} outputs"
        )
