"""CycleGAN against its two parts, GANs, hand computations; its pool, its scores (appendix D)."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import small
import tensorflow as tf
from click.testing import CliRunner
from models import build, digits, learned_from
from PIL import Image
from scipy import special, stats

import tfgen
import zoo
from tfgen import data, endpoints, networks, objectives
from tfgen.drawing import pictures
from tfgen.evaluation import evaluate
from tfgen.evaluation.evaluator import Evaluator
from tfgen.layers import ImagePool
from zoo import cli
from zoo.models.cyclegan import CycleGAN
from zoo.models.gan import GAN
from zoo.preset import publish as publishing

PLAIN, WEIGHTED = "cyclegan_digits", "iwcyclegan_digits"
A, B = learned_from(PLAIN, 24)


def build_for_fit(name, rate=0.1, **arguments):
    """The model with one step an execution, whose graph is built in a third of the time."""
    model = build(name, **arguments)
    model.compile(keras.optimizers.SGD(rate, momentum=0.5))
    return model


def log_sigmoid(logits):
    return -np.logaddexp(0, -logits)


class TestObjectives:
    @pytest.mark.parametrize("name", [PLAIN, WEIGHTED])
    def test_is_the_sum_of_the_aaes_and_infogans(self, name):
        """Either part by hand: log q^r(0|.) with its weights, and -10 mean |x - G(E(x))|."""
        model = build(name, normalization=None)

        def part(source, target, there, back, half):
            translated = there(source)
            fake, real = (
                model.phi([images] * 2)[half].numpy().ravel() for images in (translated, target)
            )
            weights = special.softmax(fake) if name == WEIGHTED else np.full(len(fake), 1 / 24)
            cycle = np.abs(source - back(translated)).mean()
            translators = (weights * log_sigmoid(fake)).sum() - 10 * cycle
            return translators, (log_sigmoid(real).mean() + log_sigmoid(-fake).mean()) / 2

        aae = part(A, B, model.eta, model.theta, half=1)
        infogan = part(B, A, model.theta, model.eta, half=0)
        for received, expected in zip(
            model.direction_objectives(A, B), (aae, infogan), strict=True
        ):
            np.testing.assert_allclose(received, expected, rtol=1e-5)
        received = model.objectives(A, B)
        translators, discriminators = np.add(aae, infogan)
        np.testing.assert_allclose(received["theta"], translators, rtol=1e-5)
        np.testing.assert_allclose(received["phi"], discriminators, rtol=1e-5)
        assert received["theta"] is received["eta"]

    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("direction", ["ab", "ba"])
    def test_without_cycles_is_a_gan_in_either_direction(self, direction, weighted):
        """lambda = 0: a GAN whose noise is the other domain's images has the same gradients."""
        model = build(PLAIN, cycle_weight=0.0, importance_weighted=weighted)
        translator, half = (model.eta, 1) if direction == "ab" else (model.theta, 0)
        source, target = (A, B) if direction == "ab" else (B, A)

        class FromImages(GAN):
            def prior_like(self, examples, stream=0):
                return source

        phi = keras.Model(model.phi.inputs[half], model.phi.outputs[half])
        gan = FromImages(translator, phi, importance_weighted=weighted)
        variables = translator.trainable_variables, phi.trainable_variables
        with tf.GradientTape(persistent=True) as tape:
            ours, theirs = model.objectives(A, B), gan.objectives(target)
        for player, owned in zip(("theta", "phi"), variables, strict=True):
            pairs = zip(
                tape.gradient(ours[player], owned),
                tape.gradient(theirs[player], owned),
                strict=True,
            )
            for received, expected in pairs:
                np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-7)

    def test_one_image_weighs_all(self):
        plain, weighted = (build(name) for name in (PLAIN, WEIGHTED))
        for player, value in plain.objectives(A[:1], B[:1]).items():
            np.testing.assert_allclose(weighted.objectives(A[:1], B[:1])[player], value, rtol=1e-6)

    def test_log_laplace_is_scipys_at_scale_pixels_over_lambda(self):
        x, mean = np.random.default_rng(0).random((2, 3, 4, 5, 2))
        law = stats.laplace(scale=40 / 7.0)
        expected = (law.logpdf(x - mean) - law.logpdf(0)).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(objectives.log_laplace(x, mean, 7.0), expected)

    def test_two_replicas_equal_one(self, replicas):
        """Softmax over the global batch, one pool for all; 39 pairs in batches of 16, the last of 7."""
        images, _ = digits(39)
        weights = []
        for strategy in (tf.distribute.get_strategy(), replicas):
            with strategy.scope():
                model = build_for_fit(WEIGHTED, rate=0.1, normalization=None, pool=12)
            model.fit((images, 1 - images), batch_size=16, epochs=2, verbose=0)
            weights.append(model.get_weights())
        for one, two in zip(*weights, strict=True):
            assert np.abs(one - two).max() <= 1e-5 * max(1, np.abs(one).max())


class TestPool:
    def seed(self, step):
        return tf.constant([0, step], tf.int64)

    def images(self, *values):
        return np.tile(np.float32(values)[:, None, None, None], (1, 2, 2, 1))

    def test_exchanges_about_half_and_loses_none(self):
        pool, seen = ImagePool(50, (2, 2, 1)), 0
        first = self.images(*range(40))
        np.testing.assert_array_equal(pool(first, self.seed(0)), first)  # into empty slots
        assert pool.full.numpy().sum() == 40
        pool(self.images(*range(40, 90)), self.seed(1))
        for step in range(20):
            new = self.images(*range(100 + 50 * step, 150 + 50 * step))
            before = pool.images.numpy()
            given = pool(new, self.seed(2 + step)).numpy()
            held = [*new[:, 0, 0, 0], *before[:, 0, 0, 0]]
            assert sorted(held) == sorted([*given[:, 0, 0, 0], *pool.images.numpy()[:, 0, 0, 0]])
            seen += (given != new).any(axis=(1, 2, 3)).sum()
        assert 450 < seen < 550  # of 1,000: binomial, standard deviation 16

    def test_images_beyond_its_size_pass(self):
        pool = ImagePool(2, (2, 2, 1))
        pool(self.images(1, 2), self.seed(0))
        np.testing.assert_array_equal(
            pool(self.images(3, 4, 5, 6), self.seed(1))[2:], self.images(5, 6)
        )

    def test_acts_on_phi_alone_and_in_training_alone(self):
        model, witness = build(PLAIN, pool=24), build(PLAIN)
        model.objectives(B, A)  # fills the pool with other translations
        for network, start in model.players.items():
            witness.players[network].set_weights(start.get_weights())
        before = [pool.images.numpy() for pool in model.pools]
        tested, expected = (m.objectives(A, B, training=False) for m in (model, witness))
        assert {name: float(value) for name, value in tested.items()} == {
            name: float(value) for name, value in expected.items()
        }
        for pool, images in zip(model.pools, before, strict=True):
            np.testing.assert_array_equal(pool.images.numpy(), images)
        trained, expected = (m.objectives(A, B) for m in (model, witness))
        np.testing.assert_allclose(trained["theta"], expected["theta"], rtol=1e-6)
        assert trained["phi"] != expected["phi"]

    def test_is_saved_so_that_a_loaded_model_goes_on_as_if_unstopped(self, tmp_path):
        whole = build_for_fit(PLAIN, rate=0.01, normalization=None, pool=10)
        whole.fit((A, B), batch_size=8, epochs=2, verbose=0)
        broken = build_for_fit(PLAIN, rate=0.01, normalization=None, pool=10)
        broken.fit((A, B), batch_size=8, epochs=1, verbose=0)
        broken.save(tmp_path / "m.keras")
        resumed = zoo.load(tmp_path / "m.keras")
        assert resumed.pools[0].full.numpy().all()
        resumed.fit((A, B), batch_size=8, initial_epoch=1, epochs=2, verbose=0)
        for value, expected in zip(resumed.get_weights(), whole.get_weights(), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


class TestFit:
    def test_fit_takes_arrays_of_different_lengths(self):
        model = build_for_fit(PLAIN)
        history = model.fit(
            (A, B[:20]), batch_size=4, epochs=2, validation_split=0.25, verbose=0
        ).history
        assert int(model.steps) == 2 * 5  # 18 images of A, 15 of B
        assert np.isfinite(history["val_theta"]).all()

    @pytest.mark.parametrize(
        ("batch", "message"),
        [
            ((A, None), "images_b are needed. Received: images_b=None"),
            ((A, B[:, :6]), r"images_b must have shape \(n, 8, 8, 1\). Received"),
            ((A, B + 1), r"images_b must lie in \[0, 1\]"),
        ],
    )
    def test_both_domains_are_checked(self, batch, message):
        with pytest.raises(ValueError, match=message):
            build(PLAIN).fit(batch)


class TestNetworks:
    def domains_of_two_shapes(self):
        shapes = (8, 8, 1), (8, 8, 3)
        theta = networks.translator(shapes[1], shapes[0], 4, 1)
        eta = networks.translator(*shapes, 4, 1)
        return theta, eta, networks.patch_discriminators(*shapes, 4)

    def test_domains_may_differ_in_shape(self, tmp_path):
        model = CycleGAN(*self.domains_of_two_shapes(), pool=3)
        model.compile("sgd")
        images_b = np.repeat(B, 3, axis=-1)
        model.fit((A, images_b), verbose=0)
        model.save(tmp_path / "m.keras")
        loaded = zoo.load(tmp_path / "m.keras")
        assert (loaded.image_shape, loaded.image_shape_b) == ((8, 8, 1), (8, 8, 3))
        np.testing.assert_allclose(loaded.translate_ab(A), model.translate_ab(A), atol=1e-6)
        assert loaded.translate_ba(images_b).shape == A.shape
        assert pictures.translations(loaded, images_b, "ba").mode == "RGB"

    def test_networks_must_fit(self):
        theta, eta, phi = self.domains_of_two_shapes()
        with pytest.raises(ValueError, match="theta must translate from B to A, and eta from"):
            CycleGAN(theta, theta, phi)
        with pytest.raises(ValueError, match="phi must read images of A, which theta makes"):
            CycleGAN(eta, theta, phi)

    @pytest.mark.parametrize("argument", ["cycle_weight", "pool"])
    def test_numbers_must_not_be_negative(self, argument):
        message = f"{argument} must not be negative. Received: {argument}=-1"
        with pytest.raises(ValueError, match=message):
            build(PLAIN, **{argument: -1})

    def test_sizes_must_be_even_and_equal(self):
        for shapes in [((9, 9, 1),) * 2, ((8, 8, 1), (16, 16, 1))]:
            with pytest.raises(ValueError, match="must have one even size. Received"):
                networks.translator(*shapes)

    def test_instance_normalization_translates_each_image_by_itself(self):
        model = build(PLAIN, normalization="instance")
        together = model.eta(A, training=True)
        np.testing.assert_allclose(model.eta(A[:1], training=True)[0], together[0], atol=1e-5)

    def test_predict_translates_from_a_to_b(self):
        model = build(PLAIN)
        np.testing.assert_allclose(model.predict(A, verbose=0), model.translate_ab(A), atol=1e-6)


class Negative:
    """The perfect pair of translators between digits and digits_negative."""

    image_shape = image_shape_b = (8, 8, 1)

    def translate_ab(self, images):
        return 1 - images

    def translate_ba(self, images):
        return 1 - images

    def endpoints(self):
        return endpoints.translator(self)


class Blank(Negative):
    """Forgets what it translates."""

    def translate_ab(self, images):
        return tf.zeros_like(images)


def judge(name, size=8, channels=1):
    """Gives an image the class of the nearest mean image of a data set, at a size and channels."""
    images, labels = data.arrays(name, size=size, channels=channels)
    flat = images.reshape(len(images), -1) / 255
    means = np.stack([flat[labels == t].mean(axis=0) for t in range(10)]).astype(np.float32)

    def features(images):
        flat = tf.reshape(images, [len(images), -1])
        distances = tf.reduce_sum((flat[:, None] - means) ** 2, axis=2)
        return {"features": flat, "probabilities": tf.one_hot(tf.argmin(distances, 1), 10)}

    spec = tf.TensorSpec((None, size, size, channels))
    features.structured_input_signature = ((), {"images": spec})
    accuracy = tfgen.evaluation.metrics.Interval(0.9, 0.8, 1.0)
    return Evaluator(
        SimpleNamespace(signatures={"features": features}), SimpleNamespace(accuracy=accuracy)
    )


class TestScores:
    PAIR = ("digits", "digits_negative")

    def score(self, model, judges=None):
        judges = judges or [judge(name) for name in self.PAIR]
        measured = evaluate(model, self.PAIR, evaluator=judges)
        return {name: number["value"] for name, number in measured.items()}

    def test_of_perfect_translators(self):
        images, labels = data.arrays("digits_negative", "test")
        _, classes = judge("digits_negative").observe(images / np.float32(255))
        accuracy = np.mean(classes.argmax(axis=1) == labels)
        scores = self.score(Negative())
        assert 0.85 < accuracy == pytest.approx(scores["label_kept_ab"])
        assert scores["label_kept_ba"] == pytest.approx(accuracy)
        assert scores["cycle_error_aba"] == pytest.approx(0, abs=1e-6)
        assert scores["cycle_error_bab"] == pytest.approx(0, abs=1e-6)
        assert scores["evaluator_accuracy_a"] == scores["evaluator_accuracy_b"] == 0.9
        assert scores["label_kept_ab_untranslated"] < 0.5

    def test_of_translators_that_forget(self):
        images, labels = data.arrays("digits", "test")
        scores = self.score(Blank())
        assert scores["label_kept_ab"] in [pytest.approx(np.mean(labels == t)) for t in range(10)]
        assert scores["cycle_error_aba"] == pytest.approx(np.mean(1 - images / 255), rel=1e-5)

    def test_evaluators_may_read_other_sizes_and_channels(self):
        scores = self.score(Negative(), [judge(name, 16, 3) for name in self.PAIR])
        assert scores["label_kept_ab"] > 0.85

    def test_data_and_evaluators_come_in_pairs(self):
        with pytest.raises(TypeError, match=r"data must be two.*Received: data='digits'"):
            evaluate(Negative(), "digits")
        with pytest.raises(TypeError, match="evaluator must be two"):
            evaluate(Negative(), self.PAIR, evaluator=judge("digits"))


def test_picture_has_images_above_their_translations():
    picture = pictures.translations(build(PLAIN), A[:4])
    assert picture.size == (2 * 66 + 2, 4 * 66 + 2)  # two pairs of rows of two tiles
    with pytest.raises(ValueError, match="direction must be 'ab' or 'ba'. Received"):
        pictures.translations(build(PLAIN), A, "aa")


def test_is_trained_published_and_used_by_commands(presets, tmp_path, monkeypatch):
    """With the same evaluator for both domains, so that its numbers mean nothing."""
    monkeypatch.setattr(
        "tfgen.evaluation.translations.find_evaluator", lambda name: presets / "resnet_small"
    )
    recipe = zoo.RECIPES[PLAIN]
    recipe = {
        **recipe,
        "data": {**recipe["data"], "split": "train[:64]"},
        "build": {"width": 4, "blocks": 1},
        "training": {**recipe["training"], "epochs": 1},
    }
    small.train(recipe, tmp_path / "run")
    folder = publishing.publish(tmp_path / "run", "cyclegan_small", tmp_path)
    card = zoo.card(folder)
    assert card["data"]["target"] == "digits_negative"
    assert {"label_kept_ab", "label_kept_ba", "cycle_error_aba", "cycle_error_bab"} <= set(
        card["evaluation"]["metrics"]
    )
    page = (folder / "README.md").read_text()
    assert "unpaired with images of digits_negative" in page
    assert "On the test splits of digits and digits_negative" in page
    with Image.open(folder / "samples.png") as picture:
        assert picture.size == (6 * 66 + 2, 12 * 66 + 2)  # 32 images over their translations

    def run(*words):
        result = CliRunner().invoke(cli.main, [*words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    run("translate", str(folder), "--direction", "ba", "-n", "4", "--out", str(tmp_path / "t.png"))
    with Image.open(tmp_path / "t.png") as picture:
        assert np.asarray(picture)[2:66].mean() > 128  # the negatives stand above
    named = run("evaluate", str(folder), "--data", "digits", "--data", "digits_negative", "--json")
    assert named == run("evaluate", str(folder), "--json")
