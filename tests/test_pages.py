"""A preset's page describes its model: evaluators score generators, other classifiers do not."""

import dataclasses

import pytest

import tfgen
import zoo
from tfgen.evaluation import CAPABILITIES, Capability
from tfgen.evaluation.intervals import Interval
from zoo import recipes
from zoo.preset import page as pages
from zoo.preset.cards import Card


def read(name):
    return Card.of(zoo.card(name))


def adapted(card):
    """The card of an evaluator, as that of a model adapted from MNIST to MNIST-M would be."""
    data = {"name": "mnist", "target": "mnist_m", "size": 32, "channels": 3}
    return dataclasses.replace(
        card,
        endpoints=["classify"],
        recipe={**card.recipe, "data": data},
        data={"name": "mnist", "splits": {"train": 60_000}},
    )


def test_a_model_is_tested_on_its_target_or_else_on_its_own_data():
    assert recipes.test_set({"name": "mnist", "target": "mnist_m"}) == "mnist_m"
    assert recipes.test_set({"name": "mnist", "size": 32}) == "mnist"


def test_an_adapted_classifier_names_both_domains_and_the_one_it_is_tested_on():
    page = pages.page(adapted(read("resnet_digits")))
    assert "On the test split of mnist_m." in page
    assert "one of the classes of mnist_m" in page
    assert "a subset of MNIST-M, 12,000 of 59,001 training images" in page
    assert "; labelled images of mnist and unlabelled ones of mnist_m" in page
    assert "model.predict(images)" in page
    assert "score generators" not in page
    assert "model.sample" not in page


def test_an_evaluator_says_what_it_was_made_for():
    page = pages.page(read("resnet_digits"))
    assert "On the test split of digits." in page
    assert "made to score generators of digits" in page


@pytest.mark.parametrize("name", ["cgan_digits", "svae_digits_10pct"])
def test_a_generator_says_how_its_samples_were_scored(name):
    page = pages.page(read(name))
    assert "10,000 samples of seed 0, scored by `resnet_digits`." in page
    assert "It draws only pictures like those of digits" in page
    assert "{" not in page.replace("```", "")


def test_a_page_says_what_its_numbers_are_of():
    page = pages.page(read("svae_mnist_1pct"))
    assert "each pixel one draw from Bernoulli(gray value)" in page
    assert "`accuracy` is of gray test images" in page
    assert "on the first images in a random order" in page
    assert "| iw_bound_64_gain |" in page
    assert "| iw_bound_64 |" not in page
    assert "| ais_bound |" not in page
    assert "docs/results.md#svae-and-its-classifier-alone" in page
    assert "| ais_bound_gain |" in pages.page(read("vae_mnist"))
    assert "Bernoulli(gray value)" not in pages.page(read("gan_mnist"))


def test_a_second_sampler_is_told_from_the_prior():
    card = read("vae_digits")
    metrics = card.metrics
    both = {**metrics, "aggregate_fid": metrics["fid"]}
    page = pages.page(dataclasses.replace(card, evaluation={**card.evaluation, "metrics": both}))
    assert 'model.sample(n, prior="aggregate")' in page
    assert "| aggregate_fid |" in page


def test_bits_per_dimension_stand_beside_the_literatures_of_the_same_data():
    card = read("vae_digits")
    metrics = {**card.metrics, "bits_per_dim": card.metrics["bound"]}
    card = dataclasses.replace(card, evaluation={**card.evaluation, "metrics": metrics})
    assert "in the literature" not in pages.page(card)
    recipe = {**card.recipe, "data": {"name": "cifar10"}}
    assert "a multivariate Gaussian 4.70 (van den Oord" in pages.page(
        dataclasses.replace(card, recipe=recipe)
    )


def test_a_new_kind_of_endpoint_is_measured_and_presented_as_its_file_says(monkeypatch):
    capability = Capability(
        measure=lambda context: {"overlap": Interval(0.5, 0.4, 0.6)},
        draw=lambda context: None,
        caption="Segments",
        scored="On {data}.",
        limits="It segments {data} alone.",
        ceilings={"overlap": 1.0},
        example="segments = model.predict(images)  # (n, {shape})",
    )
    monkeypatch.setitem(CAPABILITIES, "segment", capability)

    class Segmenter:
        def segment(self, images):
            return images

    metrics = tfgen.evaluate(Segmenter(), "digits")
    assert metrics == {"overlap": {"value": 0.5, "low": 0.4, "high": 0.6}}
    card = read("resnet_digits")
    page = pages.page(
        dataclasses.replace(card, endpoints=["segment"], evaluation={"metrics": metrics})
    )
    for told in (
        "![Segments](samples.png)",
        "On digits.",
        "| overlap | 0.5 | 0.4 to 0.6 | 1 |  |",
        "It segments digits alone.",
        "segments = model.predict(images)  # (n, 8, 8, 1)",
    ):
        assert told in page
    with pytest.raises(
        ValueError, match="one of the endpoints sample, .*segment. Received: encode"
    ):
        pages.page(dataclasses.replace(card, endpoints=["encode"]))


def test_a_page_says_whose_weights_a_run_started_from():
    card = read("iwcgan_cifar10")
    assert "from the weights of" not in pages.page(card)
    continued = dataclasses.replace(card, init="cgan_cifar10")
    assert "from the weights of cgan_cifar10 |" in pages.page(continued)
