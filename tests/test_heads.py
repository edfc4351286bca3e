"""Own networks are tried on noise when a model is made of them, and not when it is loaded."""

import keras
import pytest
from keras import layers
from models import build

from tfgen import layers as own_layers
from tfgen import networks
from tfgen.networks import heads
from zoo import GAN, SVAE, VAE

SHAPE = (8, 8, 1)


def generator(activation):
    return keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(64),
            layers.Reshape(SHAPE),
            layers.Activation(activation),
        ]
    )


def of_images(*behind):
    return keras.Sequential([layers.Input(SHAPE), layers.Flatten(), *behind])


def wrapped(network, function):
    images = keras.Input(SHAPE)
    return keras.Model(images, function(network(images)))


@pytest.mark.parametrize("activation", ["tanh", "linear", "relu", "softplus"])
def test_a_generator_gives_images_between_0_and_1(activation):
    with pytest.raises(
        ValueError, match=r"theta must give images in \[0, 1\].*Received: values from"
    ):
        GAN(generator(activation), networks.discriminator(SHAPE, 4))


LOGIT = networks.discriminator(SHAPE, 4)
WRONG = {
    "sigmoid layer": of_images(layers.Dense(1, activation="sigmoid")),
    "sigmoid op": wrapped(LOGIT, keras.ops.sigmoid),
    "sigmoid behind a model": keras.Sequential(
        [layers.Input(SHAPE), LOGIT, layers.Activation("sigmoid")]
    ),
    "softmax": of_images(layers.Dense(1, activation="softmax")),
    "5 tanh": wrapped(of_images(layers.Dense(1, activation="tanh")), lambda x: 5 * x),
    "20 sigmoid - 10": wrapped(LOGIT, lambda x: 20 * keras.ops.sigmoid(x) - 10),
    "clipped": wrapped(LOGIT, lambda x: keras.ops.clip(x, -6, 6)),
    "-relu": wrapped(LOGIT, lambda x: -keras.ops.relu(x)),
}
BOUNDED = ("tanh", "sigmoid", "hard_sigmoid", "hard_tanh", "softsign", "relu6")
ONE_SIDED = ("relu", "softplus", "elu", "selu", "gelu", "silu", "exponential", "log_sigmoid")
for end in (*BOUNDED, *ONE_SIDED):
    WRONG[end] = of_images(layers.Dense(1, activation=end))


@pytest.mark.filterwarnings("ignore:.*softmax over axis -1")  # Keras' own word on one unit
@pytest.mark.parametrize("kind", WRONG)
def test_a_discriminator_gives_logits_of_any_size_and_sign(kind):
    with pytest.raises(
        ValueError, match="phi must give logits of any size and sign, without a sig"
    ):
        GAN(generator("sigmoid"), WRONG[kind])


def test_each_output_of_a_discriminator_is_tried():
    images = keras.Input(SHAPE)
    heads_of = keras.Model(images, [LOGIT(images), keras.ops.sigmoid(LOGIT(images))])
    with pytest.raises(ValueError, match="Received: values from 0 to 1 on noise"):
        GAN(generator("sigmoid"), heads_of)


@pytest.mark.parametrize(
    "phi",
    [of_images(layers.Dense(2)), keras.Sequential([layers.Input(SHAPE), layers.Conv2D(1, 3)])],
)
def test_a_discriminator_gives_one_number_per_image(phi):
    with pytest.raises(ValueError, match=r"phi must give one logit per image, \(b, 1\). Received"):
        GAN(generator("sigmoid"), phi)


def encoder(activation):
    images = keras.Input(SHAPE)
    features = layers.Flatten()(images)
    scale = layers.Dense(4, activation=activation)(features)
    return keras.Model(images, {"mean": layers.Dense(4)(features), "scale": scale})


def test_the_mean_of_a_gaussian_likelihood_is_an_image():
    """Linear, it trains and its samples leave [0, 1]: see docs/guides/member.md."""
    z = keras.Input((4,))
    mean = layers.Reshape(SHAPE)(layers.Dense(64)(z))
    theta = keras.Model(z, [mean, layers.Reshape(SHAPE)(layers.Dense(64, "softplus")(z))])
    with pytest.raises(
        ValueError, match=r"theta must give images in \[0, 1\]: end it in a sigmoid"
    ):
        VAE(theta, encoder("softplus"), likelihood="gaussian")


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
def test_a_scale_is_positive(activation):
    with pytest.raises(ValueError, match="eta must give a positive scale: end it in a softplus"):
        VAE(generator("sigmoid"), encoder(activation))


def test_a_classifier_gives_logits():
    fine = build("svae_digits_10pct")
    probabilities = wrapped(fine.omega, keras.ops.softmax)
    with pytest.raises(ValueError, match="omega must give logits of any size and sign, without"):
        SVAE(fine.theta, fine.eta, probabilities)


@pytest.mark.parametrize(
    "phi",
    [
        of_images(layers.Dense(1)),
        of_images(layers.LayerNormalization(), layers.Dense(1, use_bias=False)),
        of_images(layers.SpectralNormalization(layers.Dense(1))),
        of_images(own_layers.SpectralNormalization(layers.Dense(1, use_bias=False))),
        networks.discriminator(SHAPE, 4),
        of_images(layers.Dense(1), layers.LeakyReLU()),
    ],
    ids=["linear", "normalized", "spectral", "spectral without a bias", "DCGAN", "leaky"],
)
def test_right_heads_are_accepted(phi):
    weights = phi.get_weights()
    GAN(generator("hard_sigmoid"), phi)
    VAE(generator("sigmoid"), encoder("softplus"))
    for weight, old in zip(phi.get_weights(), weights, strict=True):
        assert (weight == old).all()


def test_a_loaded_or_copied_model_is_not_tried_again(monkeypatch):
    model, tried = build("gan_digits"), []
    monkeypatch.setattr(heads, "Trials", tried.append)
    type(model).from_config(model.get_config())
    model.release()
    assert not tried
