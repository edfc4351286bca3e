"""InfoGAN against hand computations, against GAN at lambda = 0, and in pictures of its codes (Eq. 9-10)."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from models import build, digits
from PIL import Image
from scipy import stats

import tfgen
import zoo
from tfgen import networks
from tfgen.drawing import pictures
from tfgen.drawing.tiles import CAPTION, GAP
from tfgen.evaluation import metrics
from tfgen.evaluation.classes import classification
from tfgen.paper import table
from zoo import cli
from zoo.models.gan import GAN
from zoo.models.infogan import InfoGAN

NOISE, CATEGORIES, CONTINUOUS = 3, 4, 2
SHAPE = (8, 8, 1)


def infogan(normalization=None, **arguments):
    """A small InfoGAN whose z is three columns of noise, one of four categories and two codes."""
    keras.utils.set_random_seed(1)
    model = InfoGAN.build_networks(
        SHAPE,
        None,
        width=4,
        latent_dim=NOISE + CATEGORIES + CONTINUOUS,
        num_categories=CATEGORIES,
        num_continuous=CONTINUOUS,
        normalization=normalization,
        **arguments,
    )
    for variable in model.trainable_variables:
        variable.assign(5 * variable)  # DCGAN's start makes gradients too small to compare
    return model


class Drawn(GAN):
    """A GAN that draws the latents of an InfoGAN."""

    source = None

    def prior_like(self, examples, stream=0):
        return self.source.prior_like(examples)


def gan_of(model):
    """The GAN of an InfoGAN's networks and latents."""
    gan = Drawn(model.theta, model.phi, importance_weighted=model.importance_weighted)
    gan.source = model
    return gan


def gradients(model, images, player, variables):
    with tf.GradientTape() as tape:
        objective = model.objectives(images)[player]
    return [gradient.numpy() for gradient in tape.gradient(objective, variables)]


@pytest.mark.parametrize("importance_weighted", [False, True])
def test_objectives_by_hand(importance_weighted):
    model = infogan(info_weight=0.7, importance_weighted=importance_weighted)
    images = tf.constant(digits(5)[0])
    latents = model.prior_like(images).numpy()
    generated = model.decode(latents)
    real, fake = (model.phi(x).numpy()[:, 0].astype("float64") for x in (images, generated))
    d_real, d_fake = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))
    posterior = {key: value.numpy() for key, value in model.eta(generated).items()}
    category = latents[:, NOISE : NOISE + CATEGORIES].argmax(axis=1)
    probabilities = np.exp(posterior["logits"])
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    log_code = np.log(probabilities[np.arange(5), category])
    log_code += stats.norm(posterior["mean"]).logpdf(latents[:, -CONTINUOUS:]).sum(axis=1)
    weights = np.exp(fake) / np.exp(fake).sum() if importance_weighted else np.full(5, 1 / 5)
    expected = (weights * np.log(d_fake)).sum() + 0.7 * log_code.mean()
    objectives = model.objectives(images)
    assert objectives["theta"] is objectives["eta"]
    np.testing.assert_allclose(objectives["theta"], expected, rtol=1e-5)
    np.testing.assert_allclose(
        objectives["phi"], np.log(d_real).mean() / 2 + np.log(1 - d_fake).mean() / 2, rtol=1e-5
    )
    entropy = np.log(CATEGORIES) + CONTINUOUS * np.log(2)
    np.testing.assert_allclose(model.information.result(), log_code.mean() + entropy, rtol=1e-5)


@pytest.mark.parametrize("importance_weighted", [False, True])
def test_without_information_it_is_the_gan(importance_weighted):
    """lambda = 0: the gradients of theta and phi are GAN's, bit for bit, and eta's are zero."""
    model = infogan("batch", info_weight=0.0, importance_weighted=importance_weighted)
    images = tf.constant(digits(16)[0])
    for player in ("theta", "phi"):
        variables = model.players[player].trainable_variables
        found = gradients(model, images, player, variables)
        expected = gradients(gan_of(model), images, player, variables)
        for value, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(value, other)
            assert np.abs(value).max() > 0
    for value in gradients(model, images, "eta", model.eta.trainable_variables):
        np.testing.assert_array_equal(value, np.zeros_like(value))


def test_lambda_scales_the_pull_of_the_code_alone():
    """The gradient is affine in lambda, for theta, and proportional to it, for eta."""
    images = tf.constant(digits(8)[0])

    def found(player, weight):
        model = infogan(info_weight=weight)
        return gradients(model, images, player, model.players[player].trainable_variables)

    for none, half, one in zip(*(found("theta", w) for w in (0.0, 0.5, 1.0)), strict=True):
        np.testing.assert_allclose(half, (none + one) / 2, rtol=1e-3, atol=1e-6)
        assert np.abs(one - none).max() > 1e-4
    for half, one in zip(*(found("eta", w) for w in (0.5, 1.0)), strict=True):
        np.testing.assert_allclose(half, one / 2, rtol=1e-5, atol=1e-7)


def test_importance_weights_act_on_log_q_alone():
    """Eta, which log q^r does not reach, learns the same; theta does not."""
    images = tf.constant(digits(16)[0])
    plain, weighted = infogan("batch"), infogan("batch", importance_weighted=True)

    def difference(player):
        pairs = zip(
            gradients(plain, images, player, plain.players[player].trainable_variables),
            gradients(weighted, images, player, weighted.players[player].trainable_variables),
            strict=True,
        )
        return max(np.abs(a - b).max() for a, b in pairs)

    assert difference("eta") == 0.0
    assert difference("theta") > 1e-6


def test_one_sample_gives_the_unweighted_gradient():
    """k = 1: the only weight is 1."""
    images = tf.constant(digits(1)[0])
    plain, weighted = infogan(), infogan(importance_weighted=True)
    pairs = zip(
        gradients(plain, images, "theta", plain.theta.trainable_variables),
        gradients(weighted, images, "theta", weighted.theta.trainable_variables),
        strict=True,
    )
    for value, expected in pairs:
        np.testing.assert_array_equal(value, expected)


def test_eta_learns_from_generated_images_only():
    """q_eta(z|x, y=1) is fixed: real images do not reach eta's objective."""
    model = infogan("batch")
    real, other = (tf.constant(x) for x in (digits(8)[0], 1 - digits(8)[0]))
    found = [gradients(model, x, "eta", model.eta.trainable_variables) for x in (real, other)]
    for value, expected in zip(*found, strict=True):
        np.testing.assert_array_equal(value, expected)


class TestPrior:
    def check(self, latents):
        noise, category, continuous = np.split(latents, [NOISE, NOISE + CATEGORIES], axis=1)
        count = len(latents)
        np.testing.assert_array_equal(np.sort(category, axis=1)[:, :-1], 0)
        np.testing.assert_array_equal(category.sum(axis=1), 1)
        assert stats.chisquare(category.sum(axis=0)).pvalue > 1e-3
        assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-3
        assert stats.kstest(continuous.ravel(), "uniform", (-1, 2)).pvalue > 1e-3
        together = np.concatenate([noise, category[:, :-1], continuous], axis=1)
        correlations = np.corrcoef(together.T) - np.eye(NOISE + CATEGORIES - 1 + CONTINUOUS)
        correlations[NOISE : NOISE + CATEGORIES - 1, NOISE : NOISE + CATEGORIES - 1] = 0  # one-hot
        assert np.abs(correlations).max() < 4.5 / np.sqrt(count)

    def test_of_samples(self):
        model = infogan()
        self.check(model.prior(4000, 3).numpy())
        np.testing.assert_array_equal(model.prior(5, 3), model.prior(5, 3))
        assert np.abs(model.prior(5, 3) - model.prior(5, 4)).max() > 0

    def test_of_training(self):
        """Draws change from step to step."""
        model = infogan()
        first = model.prior_like(tf.zeros([4000, 1])).numpy()
        self.check(first)
        model.steps.assign_add(1)
        assert (model.prior_like(tf.zeros([4000, 1])).numpy() != first).any(axis=0).all()


class TestUse:
    def test_encode_and_classify_read_the_code_of_an_image(self):
        model, images = infogan(), digits(6)[0]
        served = {name: function for name, (function, _) in model.endpoints().items()}
        posterior = model.eta(images)
        probabilities = tf.nn.softmax(posterior["logits"]).numpy()
        latents = served["encode"](images=images)["latents"].numpy()
        np.testing.assert_allclose(latents[:, :CATEGORIES], probabilities, rtol=1e-6)
        np.testing.assert_allclose(latents[:, CATEGORIES:], posterior["mean"], rtol=1e-6)
        classes = served["classify"](images=images)
        np.testing.assert_allclose(classes["probabilities"], probabilities, rtol=1e-6)
        np.testing.assert_array_equal(classes["labels"], probabilities.argmax(axis=1))

    def test_rows_of_table_1(self):
        assert [infogan(importance_weighted=w).table_row for w in (False, True)] == [
            "InfoGAN",
            "IWInfoGAN",
        ]
        assert {"InfoGAN", "IWInfoGAN"} <= set(table.ROWS)

    def test_codes_are_scored_as_clusters(self):
        """Relabelling the clusters changes nothing; plain accuracy is not reported."""
        images, labels = digits(200)
        model = infogan()
        scores = []
        for order in ([0, 1, 2, 3], [2, 0, 3, 1]):
            kernel, bias = model.eta.get_layer("logits").get_weights()
            model.eta.get_layer("logits").set_weights([kernel[:, order], bias[order]])
            dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(64)
            scores.append(classification(context(model, dataset)))
        assert scores[0] == scores[1]
        assert list(scores[0]) == ["clustering_accuracy"]
        clusters = model.categories(images).numpy().argmax(axis=1)
        value, low, high = scores[0]["clustering_accuracy"]
        assert value == metrics.clustering_accuracy(clusters, labels)
        assert low < value < high


def context(model, dataset):
    return tfgen.evaluation.EvaluationContext(model, dataset, samples=4, evaluator=None, seed=0)


def decoded(model, latents):
    """Return the expected tiles of a picture, as `grid` draws them: (rows, columns, 64, 64) gray levels."""
    images = model.decode(tf.constant(latents.reshape(-1, latents.shape[-1]))).numpy()
    levels = np.rint(images[..., 0] * 255).reshape(*latents.shape[:2], *SHAPE[:2])
    return levels.repeat(8, axis=2).repeat(8, axis=3)


def tiles(picture, rows, columns, caption=0):
    """(rows, columns, 64, 64) gray levels of a picture's tiles."""
    pixels = np.asarray(picture, int)[GAP:, GAP:]
    pixels = pixels.reshape(rows, caption + 64 + GAP, columns, 64 + GAP)
    return pixels[:, caption:-GAP, :, :-GAP].transpose(0, 2, 1, 3)


class TestPictures:
    def test_a_traversal_sweeps_one_code_and_holds_the_rest(self):
        model, rows, columns = infogan(), 2, 5
        drawn = model.prior(5, 6).numpy()
        expected = []
        for category in range(CATEGORIES):
            z = drawn.copy()
            z[:, NOISE : NOISE + CATEGORIES] = np.eye(CATEGORIES)[category]
            expected.append(z)
        for code in range(CONTINUOUS):
            for row in range(rows):
                z = drawn[[row] * columns]
                z[:, NOISE + CATEGORIES + code] = [-1, -0.5, 0, 0.5, 1]
                expected.append(z)
        picture = pictures.traversal(model, rows, columns, seed=6)
        drawn = tiles(picture, len(expected), columns, CAPTION)
        np.testing.assert_allclose(drawn, decoded(model, np.stack(expected)), atol=1)

    def test_a_model_without_codes_is_refused(self):
        with pytest.raises(ValueError, match="A traversal needs a model with codes. Received"):
            pictures.traversal(build("gan_digits"))

    @pytest.mark.parametrize("arguments", [{"rows": 0}, {"columns": 1}], ids=str)
    def test_absurd_counts_are_refused(self, arguments):
        [(name, value)] = arguments.items()
        with pytest.raises(ValueError, match=f"{name} must be at least .* {name}={value}"):
            pictures.traversal(infogan(), **arguments)

    def test_an_interpolation_keeps_its_category(self):
        """Noise goes along an arc and continuous codes along a line, from one draw to another."""
        model = infogan()
        start, end = np.split(model.prior(4, 2).numpy(), 2)
        latents = np.empty([2, 3, start.shape[1]], "float32")
        latents[..., :NOISE] = pictures.spherical(start[:, :NOISE], end[:, :NOISE], 3)
        latents[..., NOISE:-CONTINUOUS] = start[:, None, NOISE:-CONTINUOUS]
        for place, share in enumerate((0.0, 0.5, 1.0)):
            line = (1 - share) * start + share * end
            latents[:, place, -CONTINUOUS:] = line[:, -CONTINUOUS:]
        picture = pictures.interpolation(model, rows=2, columns=3, seed=2)
        np.testing.assert_allclose(tiles(picture, 2, 3), decoded(model, latents), atol=1)

    def test_the_command_writes_the_traversal(self, tmp_path):
        model, file, out = infogan(), tmp_path / "m.keras", tmp_path / "codes.png"
        model.save(file)
        command = ["traverse", file, "--rows", 1, "--columns", 4, "--seed", 5, "--out", out]
        result = CliRunner().invoke(cli.main, [*map(str, command)])
        assert result.stdout == f"{out}\n"
        expected = pictures.traversal(zoo.load(file), 1, 4, seed=5)
        with Image.open(out) as picture:
            np.testing.assert_array_equal(picture, expected)

    def test_the_command_needs_codes(self, tmp_path):
        file, out = tmp_path / "gan.keras", tmp_path / "codes.png"
        build("gan_digits").save(file)
        result = CliRunner().invoke(cli.main, ["traverse", str(file), "--out", str(out)])
        assert result.exit_code == 1
        assert "A traversal needs a model with codes" in result.stderr
        assert not out.exists()


class TestRules:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"num_categories": 3}, "eta must infer num_categories logits and num_continuous"),
            ({"num_continuous": 1}, "Received: eta={'logits': 4, 'mean': 2}"),
            ({"info_weight": -0.1}, "info_weight must not be negative. Received: info_weight=-0.1"),
            ({"info_weight": float("nan")}, "info_weight must not be negative"),
        ],
        ids=str,
    )
    def test_codes_and_lambda(self, arguments, message):
        model = infogan()
        codes = {"num_categories": CATEGORIES, "num_continuous": CONTINUOUS}
        with pytest.raises(ValueError, match=message):
            InfoGAN(model.theta, model.phi, model.eta, **{**codes, **arguments})

    def test_z_holds_noise_and_codes(self):
        model = infogan()
        theta = networks.generator(SHAPE, CATEGORIES + CONTINUOUS, 4)
        with pytest.raises(ValueError, match="theta's z must hold noise and, as its last columns"):
            InfoGAN(theta, model.phi, model.eta, CATEGORIES, CONTINUOUS)

    def test_networks_read_images_alone(self):
        model = infogan()
        phi = networks.discriminator(SHAPE, 4, num_classes=10)
        with pytest.raises(ValueError, match="input for labels exactly if num_classes is given"):
            InfoGAN(model.theta, phi, model.eta, CATEGORIES, CONTINUOUS)
        eta = networks.code_posterior((8, 8, 3), CATEGORIES, CONTINUOUS, 4)
        with pytest.raises(ValueError, match="eta must read what theta makes"):
            InfoGAN(model.theta, model.phi, eta, CATEGORIES, CONTINUOUS)
