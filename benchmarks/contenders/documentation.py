"""The Keras documentation's training loop for GANs, on the same networks with stock layers.

It follows the guide's description: a model with two optimizers, whose step generates twice.
"""

import tempfile

import keras
import tensorflow as tf

from benchmarks import operations
from benchmarks.contenders import ours
from benchmarks.worker import Contender
from tfgen import layers, noise

LABEL_NOISE = 0.05
STOCK = {
    layers.Conv2D: keras.layers.Conv2D,
    layers.Conv2DTranspose: keras.layers.Conv2DTranspose,
    layers.BatchNormalization: keras.layers.BatchNormalization,
}


def stock(network):
    """Return the network with Keras' layers in place of the library's, and the same weights."""

    def replace(layer):
        return STOCK.get(type(layer), type(layer)).from_config(layer.get_config())

    twin = keras.models.clone_model(network, clone_function=replace)
    twin.set_weights(network.get_weights())
    return twin


class DocumentationGAN(keras.Model):
    """GAN whose discriminator learns from generated and real images in one batch, then the generator.

    Labels are 1 for generated images and 0 for real ones, with uniform noise on top.

    Args:
        discriminator: Images -> logits (b, 1).
        generator: Latents (b, d) -> images.
    """

    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")
        self.built = True

    def compile(self, d_optimizer, g_optimizer, loss):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_function = loss

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def train_step(self, images):
        batch = tf.shape(images)[0]
        generated = self.generator(self._latents(batch), training=True)
        both = tf.concat([generated, images], axis=0)
        labels = tf.concat([tf.ones([batch, 1]), tf.zeros([batch, 1])], axis=0)
        labels += LABEL_NOISE * tf.random.uniform(tf.shape(labels))
        with tf.GradientTape() as tape:
            d_loss = self.loss_function(labels, self.discriminator(both, training=True))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))

        misleading = tf.zeros([batch, 1])
        latents = self._latents(batch)
        with tf.GradientTape() as tape:
            generated = self.generator(latents, training=True)
            g_loss = self.loss_function(misleading, self.discriminator(generated, training=True))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))

        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}

    def _latents(self, batch):
        return tf.random.normal([batch, self.generator.inputs[0].shape[-1]])


def gan(width, size):
    """Return the compiled model on DCGAN's networks."""
    generator, discriminator = map(stock, ours.dcgan(width, size))
    model = DocumentationGAN(discriminator, generator)
    model.compile(
        d_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
        g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


def gan_steps(cases):
    contender = Contender()
    for name, case in cases.items():
        model = gan(case["width"], case["size"])
        contender.units[name] = ours.step(model, ours.pipeline(case["size"], case["batch"]))
        networks = model.generator, model.discriminator
        contender.facts[name] = {
            "parameters": ours.trainable(*networks),
            "operations": case["batch"] * operations.documentation_step(*networks),
        }
    return contender


def served_gan(width, size, batches):
    """Return `sample` and `discriminate` of the same networks, exported by Keras."""
    theta, phi = map(stock, ours.dcgan(width, size))
    latent_dim = theta.inputs[0].shape[-1]

    def sample(n, seed):
        return {"images": theta(noise.Samples(n, seed).gaussian(latent_dim))}

    def discriminate(images):
        logits = tf.reshape(phi(images), [-1])
        return {"logits": logits, "probabilities": tf.sigmoid(logits)}

    archive = keras.export.ExportArchive()
    archive.track(theta)
    archive.track(phi)
    integer = tf.TensorSpec((), tf.int32)
    archive.add_endpoint("sample", sample, [integer, integer])
    archive.add_endpoint(
        "discriminate", discriminate, [tf.TensorSpec((None, *phi.input_shape[1:]))]
    )
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        return ours.serving(folder, size, batches)
