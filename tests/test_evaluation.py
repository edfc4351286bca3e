"""Evaluation with a linear evaluator of the embedded digits and generators that replay them."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn import datasets as sklearn_datasets

from tfgen.evaluation import evaluate, evaluator, samples
from tfgen.evaluation.evaluator import (
    Evaluator,
    load_evaluator,
    load_reference,
    reference,
    save_reference,
)

DIGITS = sklearn_datasets.load_digits()
IMAGES = (DIGITS.images / 16.0).astype(np.float32)[..., np.newaxis]  # (1797, 8, 8, 1)
LABELS = DIGITS.target.astype(np.int32)


class LinearClassifier(tf.Module):
    """softmax(x W + b), least squares on the digits; its features are 12 projections of pixels."""

    def __init__(self):
        super().__init__()
        flat = np.c_[IMAGES.reshape(-1, 64), np.ones(len(IMAGES))]
        weights = np.linalg.lstsq(flat, np.eye(10)[LABELS], rcond=None)[0]
        projection = np.random.default_rng(0).normal(size=(64, 12)) / 8.0
        self.weights = tf.Variable(10.0 * weights, dtype=tf.float32)
        self.projection = tf.Variable(projection, dtype=tf.float32)

    def probabilities(self, images):
        return tf.nn.softmax(tf.reshape(images, (-1, 64)) @ self.weights[:64] + self.weights[64])

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32, "images")])
    def classify(self, images):
        probabilities = self.probabilities(images)
        return {"probabilities": probabilities, "labels": tf.argmax(probabilities, axis=1)}

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32, "images")])
    def features(self, images):
        features = tf.reshape(images, (-1, 64)) @ self.projection
        return {"features": features, "probabilities": self.probabilities(images)}


class Replay:
    """Generates the digits in turn, plus noise; a seed only changes the noise."""

    num_classes = None

    def __init__(self, noise=0.0):
        self.noise = noise
        self.drawn = 0
        self.seeds = []

    def sample(self, n, seed):
        indices = np.arange(self.drawn, self.drawn + n) % len(IMAGES)
        self.drawn += n
        self.seeds.append(seed)
        noise = np.random.default_rng(seed).normal(size=(n, 8, 8, 1))
        return np.clip(IMAGES[indices] + self.noise * noise, 0.0, 1.0).astype(np.float32)


class ConditionalReplay:
    """Generates random digits of the classes asked for; a share of them, of the next class."""

    num_classes = 10

    def __init__(self, wrong=0.0):
        self.wrong = wrong
        self.requested = []

    def sample(self, n, seed, labels):
        assert len(labels) == n
        self.requested.extend(labels)
        rng = np.random.default_rng(seed)
        shown = (labels + (rng.uniform(size=n) < self.wrong)) % 10
        return IMAGES[[rng.choice(np.flatnonzero(label == LABELS)) for label in shown]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models") / "resnet_digits"
    classifier = LinearClassifier()
    signatures = {"classify": classifier.classify, "features": classifier.features}
    tf.saved_model.save(classifier, str(folder / "1"), signatures)
    features = tf.saved_model.load(str(folder / "1")).signatures["features"]
    save_reference(folder, reference(features, IMAGES, LABELS))
    return folder


@pytest.fixture(scope="module")
def judge(folder):
    return load_evaluator(folder)


class TestGenerators:
    def test_the_real_set_is_its_own_ceiling(self, judge):
        scores = evaluate(Replay(), "digits", samples=len(IMAGES), evaluator=judge)
        assert scores["inception_score_ratio"]["value"] == pytest.approx(1.0, abs=1e-6)
        assert scores["inception_score_real"]["value"] == pytest.approx(
            scores["inception_score"]["value"], rel=1e-6
        )
        assert scores["fid"]["value"] == pytest.approx(0.0, abs=1e-6)
        assert scores["kid"]["low"] < 0.0 < scores["kid"]["high"]
        assert scores["precision"]["value"] == scores["recall"]["value"] == 1.0

    def test_noise_makes_every_score_worse(self, judge):
        clean = evaluate(Replay(), "digits", samples=1000, evaluator=judge)
        noisy = evaluate(Replay(noise=0.3), "digits", samples=1000, evaluator=judge)
        assert noisy["inception_score"]["high"] < clean["inception_score"]["low"]
        assert noisy["fid"]["low"] > clean["fid"]["high"]
        assert noisy["kid"]["low"] > clean["kid"]["high"]
        assert noisy["precision"]["high"] < clean["precision"]["low"]

    def test_dropped_classes_cost_recall_and_diversity(self, judge):
        model, kept = Replay(), IMAGES[LABELS < 6]
        model.sample = lambda n, seed: kept[np.random.default_rng(seed).integers(len(kept), size=n)]
        scores = evaluate(model, "digits", samples=1000, evaluator=judge)
        assert scores["precision"]["low"] > 0.9
        assert scores["recall"]["high"] < 0.9
        assert scores["inception_score_ratio"]["high"] < 0.8

    def test_an_unconditional_model_has_these_metrics(self, judge):
        scores = evaluate(Replay(), "digits", samples=60, evaluator=judge)
        assert set(scores) == {
            "inception_score",
            "inception_score_real",
            "inception_score_ratio",
            "fid",
            "kid",
            "precision",
            "recall",
        }
        for score in scores.values():
            assert {type(number) for number in score.values()} == {float}
            assert score["low"] <= score["value"] <= score["high"]

    def test_conditional_accuracy_is_the_share_given_the_class_asked_for(self, judge):
        right = evaluate(ConditionalReplay(), "digits", samples=2000, evaluator=judge)
        wrong = evaluate(ConditionalReplay(wrong=0.4), "digits", samples=2000, evaluator=judge)
        real = right["evaluator_accuracy"]["value"]
        assert real == judge.reference.accuracy.value > 0.9
        assert right["conditional_accuracy"]["value"] == pytest.approx(real, abs=0.02)
        assert wrong["conditional_accuracy"]["value"] == pytest.approx(0.6 * real, abs=0.05)

    def test_every_class_is_asked_for_in_turn(self, judge):
        model = ConditionalReplay()
        evaluate(model, "digits", samples=1234, evaluator=judge)
        np.testing.assert_array_equal(model.requested, np.arange(1234) % 10)

    def test_the_seed_fixes_every_number(self, judge):
        def scores(seed):
            return evaluate(Replay(0.1), "digits", samples=200, evaluator=judge, seed=seed)

        assert scores(3) == scores(3)
        assert scores(3)["fid"] != scores(4)["fid"]

    def test_batches_have_their_own_seeds_and_add_up(self, judge, monkeypatch):
        monkeypatch.setattr(samples, "BATCH", 30)
        model = Replay()
        evaluate(model, "digits", samples=1003, evaluator=judge)
        assert model.drawn == 1003
        assert len(set(model.seeds)) == len(model.seeds) == 40
        assert all(0 <= seed < 2**31 for seed in model.seeds)

    def test_batches_do_not_change_the_scores(self, judge, monkeypatch):
        whole = evaluate(Replay(), "digits", samples=1000, evaluator=judge)
        monkeypatch.setattr(samples, "BATCH", 7)
        parts = evaluate(Replay(), "digits", samples=1000, evaluator=judge)
        for name, score in whole.items():
            assert parts[name] == pytest.approx(score, rel=1e-4, abs=1e-6), name

    def test_only_so_many_features_are_kept(self, judge, monkeypatch):
        monkeypatch.setattr(samples, "KEPT_FEATURES", 130)
        few = evaluate(Replay(), "digits", samples=1797, evaluator=judge)
        assert few["fid"]["value"] == pytest.approx(0.0, abs=1e-6)  # from moments of all images
        assert few["precision"]["low"] < 0.98  # Wilson's at 130 images, not at 1797

    def test_the_least_sample_is_four(self, judge):
        scores = evaluate(Replay(), "digits", samples=4, evaluator=judge)
        assert np.isfinite([list(score.values()) for score in scores.values()]).all()


class TestClassifiers:
    def test_accuracy_on_a_dataset(self):
        model = LinearClassifier()
        dataset = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(500)
        scores = evaluate(model, dataset)
        expected = np.mean(model.classify(IMAGES)["labels"] == LABELS)
        assert list(scores) == ["accuracy"]
        assert scores["accuracy"]["value"] == pytest.approx(expected)
        assert scores["accuracy"]["low"] < expected < scores["accuracy"]["high"]

    def test_accuracy_on_a_named_test_split(self):
        assert 0.85 < evaluate(LinearClassifier(), "digits")["accuracy"]["value"] < 1.0

    def test_unlabelled_images_are_passed_over(self):
        labels = np.where(np.arange(len(LABELS)) < 1000, LABELS, -1)
        partly = tf.data.Dataset.from_tensor_slices((IMAGES, labels)).batch(300)
        labelled = tf.data.Dataset.from_tensor_slices((IMAGES[:1000], LABELS[:1000])).batch(300)
        model = LinearClassifier()
        assert evaluate(model, partly) == evaluate(model, labelled)

    def test_a_model_with_both_parts_has_both_families(self, judge):
        classifier = LinearClassifier()

        class Both(Replay):
            def endpoints(self):
                return {"sample": (self.sample, {}), "classify": (classifier.classify, {})}

        scores = evaluate(Both(), "digits", samples=40, evaluator=judge)
        assert {"accuracy", "inception_score"} <= set(scores)

    @pytest.mark.parametrize(
        "dataset",
        [
            tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(9).repeat(),
            tf.data.Dataset.from_tensor_slices(IMAGES).batch(9),
            tf.data.Dataset.from_tensor_slices((IMAGES, np.full(len(IMAGES), -1))).batch(9),
        ],
        ids=["endless", "without labels", "unlabelled"],
    )
    def test_refuses_a_dataset_without_an_end_or_labels(self, dataset):
        with pytest.raises(ValueError, match="A test set must .* Received: data="):
            evaluate(LinearClassifier(), dataset)


class TestBadInput:
    @pytest.mark.parametrize("spoil", [lambda x: x * 255, lambda x: 2 * x - 1], ids=["255", "-1"])
    def test_a_stream_of_another_range(self, spoil):
        stream = tf.data.Dataset.from_tensor_slices((spoil(IMAGES), LABELS)).batch(99)
        with pytest.raises(ValueError, match=r"images must lie in \[0, 1\].* Received: smallest="):
            evaluate(LinearClassifier(), stream)

    def test_a_stream_of_eight_bits(self):
        """As TFDS gives it; accuracy was .175 instead of .992, without a word."""
        pixels = np.rint(IMAGES * 255).astype(np.uint8)
        stream = tf.data.Dataset.from_tensor_slices((pixels, LABELS)).batch(99)
        with pytest.raises(TypeError, match="divide 8-bit values by 255. Received: dtype=uint8"):
            evaluate(LinearClassifier(), stream)

    @pytest.mark.parametrize("samples", [0, 1, 3, -5, 10**7 + 1])
    def test_absurd_sample_counts(self, judge, samples):
        with pytest.raises(ValueError, match=rf"samples must be from 4 .* samples={samples}"):
            evaluate(Replay(), "digits", samples=samples, evaluator=judge)

    @pytest.mark.parametrize("samples", [100.0, "100", True, None])
    def test_sample_counts_of_other_types(self, judge, samples):
        with pytest.raises(TypeError, match="samples must be an int"):
            evaluate(Replay(), "digits", samples=samples, evaluator=judge)

    def test_a_classifier_of_other_images(self):
        model = LinearClassifier()
        model.image_shape = (28, 28, 1)
        with pytest.raises(ValueError, match=r"\(n, 28, 28, 1\). Received: shape=\(\d+, 8, 8, 1\)"):
            evaluate(model, "digits")

    def test_a_model_without_parts(self):
        with pytest.raises(TypeError, match="must offer one of sample, classify"):
            evaluate(object(), "digits")

    def test_images_of_another_shape(self, judge):
        model = Replay()
        model.sample = lambda n, seed: np.zeros((n, 32, 32, 3), np.float32)
        with pytest.raises(ValueError, match=r"\(8, 8, 1\). Received: .* \(32, 32, 3\)"):
            evaluate(model, "digits", samples=40, evaluator=judge)

    @pytest.mark.parametrize("value", [255.0, -1.0, np.nan])
    def test_images_out_of_range(self, judge, value):
        model = Replay()
        model.sample = lambda n, seed: np.full((n, 8, 8, 1), value, np.float32)
        with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
            evaluate(model, "digits", samples=40, evaluator=judge)

    def test_other_classes_than_the_evaluators(self, judge):
        model = ConditionalReplay()
        model.num_classes = 3
        with pytest.raises(ValueError, match=r"model.num_classes=3, evaluator.num_classes=10"):
            evaluate(model, "digits", samples=40, evaluator=judge)
        assert model.requested == []

    def test_a_data_set_without_an_evaluator(self):
        with pytest.raises(
            FileNotFoundError, match="Pass evaluator= .*--data nowhere .*--name resnet_nowhere"
        ):
            evaluate(Replay(), "nowhere", samples=40)

    def test_a_dataset_does_not_name_an_evaluator(self):
        dataset = tf.data.Dataset.from_tensors((IMAGES, LABELS))
        with pytest.raises(TypeError, match="data must be a data set's name"):
            evaluate(Replay(), dataset, samples=40)

    def test_a_folder_that_is_no_evaluator(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"reference.npz and a SavedModel in 1/"):
            evaluate(Replay(), "digits", samples=40, evaluator=tmp_path)

    def test_an_evaluator_of_another_type(self):
        with pytest.raises(TypeError, match="evaluator must be"):
            evaluate(Replay(), "digits", samples=40, evaluator=7)


class TestEvaluators:
    def test_is_found_by_the_data_sets_name(self, folder, monkeypatch):
        monkeypatch.setattr(evaluator, "_roots", lambda: [folder.parent / "none", folder.parent])
        assert evaluator.find_evaluator("digits") == folder
        by_name = evaluate(Replay(), "digits", samples=40)
        assert by_name == evaluate(Replay(), "digits", samples=40, evaluator=str(folder))

    def test_knows_its_images_and_classes(self, judge):
        assert isinstance(judge, Evaluator)
        assert judge.image_shape == (8, 8, 1)
        assert judge.num_classes == 10

    def test_the_reference_measures_the_whole_test_set(self, judge):
        flat = IMAGES.reshape(-1, 64) @ LinearClassifier().projection.numpy()
        real = judge.reference
        assert real.count == 1797
        np.testing.assert_allclose(real.mean, flat.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(real.covariance, np.cov(flat, rowvar=False), atol=1e-5)
        assert real.features.shape == (1797, 12)
        assert real.features.dtype == np.float16
        assert real.inception_score.low < real.inception_score.value < real.inception_score.high

    def test_the_reference_survives_a_round_trip(self, judge, tmp_path):
        save_reference(tmp_path, judge.reference)
        assert [path.name for path in tmp_path.iterdir()] == ["reference.npz"]
        for name, value in vars(load_reference(tmp_path)).items():
            np.testing.assert_array_equal(value, getattr(judge.reference, name))
        assert load_reference(tmp_path).accuracy == judge.reference.accuracy

    def test_an_interrupted_write_leaves_the_old_reference(self, judge, tmp_path, monkeypatch):
        save_reference(tmp_path, judge.reference)
        before = (tmp_path / "reference.npz").read_bytes()

        def fail(file, **arrays):
            file.write_bytes(b"half")
            raise OSError("disk full")

        monkeypatch.setattr(np, "savez_compressed", fail)
        with pytest.raises(OSError, match="disk full"):
            save_reference(tmp_path, judge.reference)
        assert [path.name for path in tmp_path.iterdir()] == ["reference.npz"]
        assert (tmp_path / "reference.npz").read_bytes() == before

    @pytest.mark.parametrize("size", [0, 10, 1000])
    def test_a_truncated_reference(self, folder, tmp_path, size):
        whole = (folder / "reference.npz").read_bytes()
        (tmp_path / "reference.npz").write_bytes(whole[:size])
        with pytest.raises(ValueError, match="must be a whole archive"):
            load_reference(tmp_path)

    def test_a_reference_needs_images_with_labels(self, judge):
        features = judge.module.signatures["features"]
        with pytest.raises(ValueError, match="at least 40 test images, each with its label"):
            reference(features, IMAGES[:39], LABELS[:39])
        with pytest.raises(ValueError, match="at least 40 test images, each with its label"):
            reference(features, IMAGES, LABELS[:-1])
        with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
            reference(features, 16 * IMAGES, LABELS)

    def test_a_saved_model_without_features(self, folder, tmp_path):
        classifier = LinearClassifier()
        tf.saved_model.save(classifier, str(tmp_path / "1"), {"classify": classifier.classify})
        save_reference(tmp_path, load_reference(folder))
        with pytest.raises(ValueError, match=r"signature `features`.*\['classify'\]"):
            load_evaluator(tmp_path)
