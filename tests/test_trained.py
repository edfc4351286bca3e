"""A model trained in Python becomes a preset: `zoo.publish`, which tfgen lends as `tfgen.publish`."""

import numpy as np
import pytest
from models import build, digits
from PIL import Image

import tfgen
import zoo


@pytest.fixture(scope="module")
def model():
    trained = build("cgan_digits")
    trained.fit(*digits(64), epochs=2, verbose=0)
    return trained


def test_a_trained_model_is_published_with_its_scores_and_classes(model, presets, tmp_path):
    names = ("odd", "even")
    images, labels = tfgen.data.arrays("digits", "train[:60]")
    for number, (image, label) in enumerate(zip(images[..., 0], labels, strict=True)):
        path = tmp_path / "pictures" / f"{label} {names[int(label % 2 == 0)]}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    folder = zoo.publish(
        model, tmp_path / "mine", data=tmp_path / "pictures", samples=40,
        evaluator=presets / "resnet_small",
    )  # fmt: skip
    card = zoo.card(folder)
    assert (card["description"], card["epochs"]) == ("GAN, on pictures", 2)
    assert card["data"]["class_names"][:2] == ["0 even", "1 odd"]
    assert card["recipe"]["data"] == {"name": str((tmp_path / "pictures").resolve())}
    assert card["evaluation"]["evaluator"] == "resnet_small"
    assert np.isfinite(card["evaluation"]["metrics"]["fid"]["value"])
    assert set(card["discriminator"]) == {"real", "generated"}
    np.testing.assert_array_equal(zoo.load(folder).sample(3), model.sample(3))
    page = (folder / "README.md").read_text()
    assert "trained by `fit` in Python" in page
    assert "not recorded" in page
    with Image.open(folder / "samples.png") as picture:
        assert picture.size == (10 * 66 + 2, 7 * (14 + 66) + 2)  # a column for each class
    with pytest.raises(FileExistsError, match="only by overwriting"):
        zoo.publish(model, folder, data="digits")


def test_a_truncation_set_in_python_is_published(presets, tmp_path):
    trained = build("cgan_digits")
    trained.truncation = 0.5
    folder = zoo.publish(
        trained, tmp_path / "mine", data="digits", samples=40, evaluator=presets / "resnet_small"
    )
    assert "truncated_fid" in zoo.card(folder)["evaluation"]["metrics"]
    assert 'sample(n, prior="truncated")' in (folder / "README.md").read_text()
    assert zoo.load(folder).truncation == 0.5


def test_tfgen_lends_it_without_importing_the_zoo():
    assert tfgen.publish is zoo.publish


@pytest.mark.parametrize(
    ("other", "name", "data", "error", "message"),
    [
        (
            None,
            "Mine",
            "digits",
            ValueError,
            "small letters, digits and underscores. Received: name",
        ),
        (None, "mine", "no_such_data", ValueError, "A data set must be .* Received: name='no_such"),
        (
            "x",
            "mine",
            "digits",
            TypeError,
            "Only a model of the zoo can be published. Received: mo",
        ),
    ],
)
def test_what_cannot_be_published_is_refused(model, tmp_path, other, name, data, error, message):
    with pytest.raises(error, match=message):
        zoo.publish(other or model, tmp_path / name, data=data)
    assert not any(tmp_path.iterdir())
