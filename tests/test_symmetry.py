"""Section 6: which images and labels each student is given, and that only scores see the test set."""

import json

import numpy as np
import pytest
import small
from click.testing import CliRunner

import tfgen
import zoo
from tfgen.evaluation.evaluator import load_evaluator
from zoo import cli
from zoo.studies import symmetry

SAMPLES = 25  # not a multiple of the classes, nor of the batch


@pytest.fixture
def teacher(presets):
    return presets / "resnet_small"


@pytest.fixture
def generator(presets):
    return zoo.load(presets / "cgan_small")


class Constant:
    """A student that gives every image the class 3."""

    def predict(self, images, **_):
        return np.eye(10)[[3] * len(images)]


@pytest.fixture
def taught(monkeypatch):
    """List of the data of each student, in order, with students that learn nothing."""
    calls = []

    def train_student(recipe, info, images, targets, steps, seed):
        calls.append({"images": images, "targets": targets, "steps": steps, "seed": seed})
        return Constant()

    monkeypatch.setattr(symmetry, "train_student", train_student)
    return calls


def test_each_kind_of_pair_is_what_it_is_called(generator, teacher, taught):
    found = symmetry.compare(generator, "digits", SAMPLES, evaluator=teacher, seed=4)
    real, as_many, generated, distilled = taught
    asked = np.arange(SAMPLES) % 10
    images = generator.sample(SAMPLES, seed=4, labels=asked)
    _, probabilities = load_evaluator(teacher).observe(images)
    np.testing.assert_array_equal(generated["images"], images)
    np.testing.assert_array_equal(distilled["images"], images)
    np.testing.assert_array_equal(generated["targets"], np.eye(10)[asked])
    np.testing.assert_allclose(distilled["targets"], probabilities, rtol=1e-5)
    assert np.bincount(generated["targets"].argmax(axis=1)).tolist() == [3] * 5 + [2] * 5
    kept = (probabilities.argmax(axis=1) == asked).mean()
    assert found["labels_kept"]["value"] == pytest.approx(kept)

    images, labels = tfgen.data.arrays("digits", "train[:150]")  # what the teacher learned from
    np.testing.assert_array_equal(real["images"], images)
    np.testing.assert_array_equal(real["targets"], np.eye(10)[labels])
    known = {
        (image.tobytes(), target.tobytes())
        for image, target in zip(real["images"], real["targets"], strict=True)
    }
    chosen = {
        (image.tobytes(), target.tobytes())
        for image, target in zip(as_many["images"], as_many["targets"], strict=True)
    }
    assert len(chosen) == SAMPLES
    assert chosen <= known
    assert [call["steps"] for call in taught] == [1] * 4
    assert [call["seed"] for call in taught] == [4] * 4


def test_more_samples_than_real_images_leave_one_real_student(generator, teacher, taught):
    found = symmetry.compare(generator, "digits", 150, evaluator=teacher)
    assert "accuracy_real_as_many" not in found
    assert [call["steps"] for call in taught] == [3] * 3


def test_labels_of_the_test_set_enter_the_score_alone(generator, teacher, taught, monkeypatch):
    before = symmetry.compare(generator, "digits", SAMPLES, evaluator=teacher)
    arrays = tfgen.data.arrays

    def relabelled(name, split, **options):
        images, labels = arrays(name, split, **options)
        return images, np.full_like(labels, 3) if split == "test" else labels

    monkeypatch.setattr(tfgen.data, "arrays", relabelled)
    after = symmetry.compare(generator, "digits", SAMPLES, evaluator=teacher)
    half = len(taught) // 2
    for one, other in zip(taught[:half], taught[half:], strict=True):
        np.testing.assert_array_equal(one["images"], other["images"])
        np.testing.assert_array_equal(one["targets"], other["targets"])
    _, truth = arrays("digits", "test")
    for name in ("real", "real_as_many", "generated", "distilled"):
        assert before[f"accuracy_{name}"]["value"] == pytest.approx((truth == 3).mean())
        assert after[f"accuracy_{name}"]["value"] == 1
    assert before["labels_kept"] == after["labels_kept"]


def recipe(epochs, learning_rate):
    changed = {"epochs": epochs, "learning_rate": learning_rate, "decay": None}
    return {**small.RESNET, "training": {**small.RESNET["training"], **changed}}


def test_a_student_learns_probabilities_not_the_likeliest_label():
    """On one and the same image, the best f(t|x) is the teacher's q(t|x)."""
    q = np.array([0.5, 0.3, 0.2, 0, 0, 0, 0, 0, 0, 0], "float32")
    image = tfgen.data.arrays("digits")[0][:1]
    info = tfgen.data.info("digits")
    images, targets = np.repeat(image, 8, axis=0), np.repeat(q[None], 8, axis=0)
    student = symmetry.train_student(recipe(5, 0.02), info, images, targets, steps=40, seed=0)
    logits = student.predict(image / np.float32(255), verbose=0)[0]
    learned = np.exp(logits - logits.max())
    np.testing.assert_allclose(learned / learned.sum(), q, atol=0.03)


def test_students_start_alike_and_do_the_steps_asked_for():
    images, labels = tfgen.data.arrays("digits")
    targets, info = np.eye(10, dtype="float32")[labels], tfgen.data.info("digits")

    def start(count):
        student = symmetry.train_student(
            recipe(2, 1e-12), info, images[:count], targets[:count], steps=3, seed=0
        )
        assert int(student.optimizer.iterations) == 6
        return [variable.numpy() for variable in student.trainable_variables]

    for one, other in zip(start(10), start(100), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)


def test_the_command_prints_the_report_and_writes_the_page(tmp_path, presets, teacher):
    out = tmp_path / "new" / "symmetry.md"
    model = presets / "cgan_small"
    options = ("--samples", 70, "--epochs", 1, "--seed", 2, "--evaluator", teacher)
    arguments = ["symmetry", model, *options, "--out", out, "--json"]
    result = CliRunner().invoke(cli.main, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert {key: report[key] for key in ("data", "samples", "epochs", "seed", "evaluator")} == {
        "data": "digits", "samples": 70, "epochs": 1, "seed": 2, "evaluator": "resnet_small"
    }  # fmt: skip
    students = ["real", "real_as_many", "generated", "distilled"]
    others = ["distilled_gain", "accuracy_teacher", "labels_kept"]
    assert list(report["metrics"]) == [*(f"accuracy_{name}" for name in students), *others]
    for number in report["metrics"].values():
        assert number["low"] <= number["value"] <= number["high"]
    gain = (
        report["metrics"]["accuracy_distilled"]["value"]
        - report["metrics"]["accuracy_generated"]["value"]
    )
    assert report["metrics"]["distilled_gain"]["value"] == pytest.approx(gain)
    accuracy = zoo.card(teacher)["evaluation"]["metrics"]["accuracy"]["value"]
    assert report["metrics"]["accuracy_teacher"]["value"] == pytest.approx(accuracy)

    page = out.read_text()
    assert page == symmetry.page([report])
    assert report["command"] in page
    assert f"| `accuracy_real` | {report['metrics']['accuracy_real']['value']:.4f} (" in page
    assert "{" not in page


def test_a_page_holds_reports_of_different_students():
    number = {"value": 0.5, "low": 0.25, "high": 0.75}
    facts = dict.fromkeys(("data", "evaluator", "samples", "epochs", "seed", "seconds"), 1)
    machine = {"processor": "p", "cores": 2}
    reports = [
        {**facts, "model": "a", "command": "A", "machine": machine, "metrics": {"x": number}},
        {**facts, "model": "b", "command": "B", "machine": machine, "metrics": {"y": number}},
    ]
    page = symmetry.page(reports)
    assert "| `x` | 0.5000 (0.2500 to 0.7500) | - |" in page
    assert "| `y` | - | 0.5000 (0.2500 to 0.7500) |" in page
    assert page.count("p, 2 cores") == 1


def conditional_gan(shape, classes):
    return zoo.GAN.build_networks(shape, classes, width=4, latent_dim=2, conditional=True)


@pytest.mark.usefixtures("taught")
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: zoo.GAN.build_networks((8, 8, 1), 10, width=4, latent_dim=2),
            "endpoint 'sample_labels'. Received: .* with generate, ",
        ),
        (lambda: conditional_gan((8, 8, 1), 5), r"Received: model=\(\(8, 8, 1\), 5\), evaluator"),
        (lambda: conditional_gan((16, 16, 1), 10), r"model=\(\(16, 16, 1\), 10\), evaluator"),
    ],
    ids=["no classes", "other classes", "other shape"],
)
def test_generators_that_do_not_fit_are_refused(teacher, taught, build, message):
    with pytest.raises(ValueError, match=message):
        symmetry.compare(build(), "digits", SAMPLES, evaluator=teacher)
    assert not taught


def test_other_faults_are_refused_before_training(generator, teacher, taught, tmp_path):
    from PIL import Image

    (tmp_path / "a").mkdir()
    Image.fromarray(np.zeros((8, 8), "uint8")).save(tmp_path / "a" / "0.png")
    with pytest.raises(ValueError, match=r"data=\(\(8, 8, 1\), 1\)"):
        symmetry.compare(generator, tmp_path, SAMPLES, evaluator=teacher)
    with pytest.raises(ValueError, match="epochs must be at least 1. Received: epochs=0"):
        symmetry.compare(generator, "digits", SAMPLES, epochs=0, evaluator=teacher)
    with pytest.raises(ValueError, match="Received: samples=0"):
        symmetry.compare(generator, "digits", 0, evaluator=teacher)
    with pytest.raises(FileNotFoundError, match="evaluator"):
        symmetry.compare(generator, "digits", SAMPLES, evaluator=tmp_path)
    assert not taught
