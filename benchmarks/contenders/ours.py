"""This library's training steps and served functions."""

import functools
import math
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

import tfgen
import zoo
from benchmarks import operations
from benchmarks.worker import Contender
from tfgen import data, networks
from tfgen.optimizers import Adam
from zoo.preset import train as training

LATENT_DIM = 64
CHANNELS = 1
STORED = 4096  # images of the pipeline


def dcgan(width, size):
    """Return DCGAN's generator and discriminator."""
    shape = (size, size, CHANNELS)
    return networks.generator(shape, LATENT_DIM, width), networks.discriminator(shape, width)


def gan(width, size):
    """Return a `zoo.GAN`, compiled as its recipes are."""
    model = zoo.GAN(*dcgan(width, size))
    model.compile(optimizer=Adam(2e-4, beta_1=0.5))
    return model


def vae(width, size):
    """Return a `zoo.VAE` with DCGAN's generator as decoder, compiled as its recipe is."""
    shape = (size, size, CHANNELS)
    theta = networks.generator(shape, LATENT_DIM, width)
    model = zoo.VAE(theta, networks.encoder(shape, LATENT_DIM, width))
    model.compile(optimizer=Adam(2e-4))
    return model


def pipeline(size, batch, seed=0):
    """Return endless batches of random 8-bit images through `tfgen.data`."""
    pixels = np.random.default_rng(seed).integers(256, size=(STORED, size, size, CHANNELS))
    return data.batches(pixels.astype(np.uint8), batch_size=batch).repeat()


def step(model, batches):
    """Return a function that does one training step of a compiled model, as `fit` runs it."""
    model.make_train_function()
    iterator = iter(batches)
    return lambda: model.train_function(iterator)


def trainable(*players):
    """Return the number of trainable parameters."""
    return sum(math.prod(v.shape) for network in players for v in network.trainable_variables)


def gan_steps(cases):
    """Return the contender of cases {name: {"width", "size", "batch"}}, as do the other contenders."""
    contender = Contender()
    for name, case in cases.items():
        model = gan(case["width"], case["size"])
        contender.units[name] = step(model, pipeline(case["size"], case["batch"]))
        contender.facts[name] = {
            "parameters": trainable(model.theta, model.phi),
            "operations": case["batch"] * operations.gan_step(model.theta, model.phi),
        }
    return contender


def vae_steps(cases):
    contender = Contender()
    for name, case in cases.items():
        model = vae(case["width"], case["size"])
        contender.units[name] = step(model, pipeline(case["size"], case["batch"]))
        contender.facts[name] = {
            "parameters": trainable(model.theta, model.eta),
            "operations": case["batch"] * operations.vae_step(model.theta, model.eta),
        }
    return contender


def recipe_steps(name, bfloat16):
    """Return a recipe's training step on random binary images of MNIST's shape, with labels."""
    recipe, rng = zoo.RECIPES[name], np.random.default_rng(0)
    model = zoo.build(recipe, data.Info("random", (28, 28, 1), 10, {"train": STORED}))
    images = 255 * rng.integers(2, size=(STORED, 28, 28, 1)).astype(np.uint8)
    labels = rng.integers(10, size=STORED)
    batches = data.batches(images, labels, recipe["training"]["batch_size"])
    model.compile(model.optimizer)  # one step per execution
    run = step(model, batches.repeat())
    contender = Contender()

    def unit():
        with training.products_in_bfloat16(bfloat16):
            return run()

    contender.units[name] = unit
    return contender


def pipelines(cases):
    """Return the input pipeline alone, with one batch per unit."""
    contender = Contender()
    for name, case in cases.items():
        iterator = iter(pipeline(case["size"], case["batch"]))
        contender.units[name] = functools.partial(next, iterator)
    return contender


def served_gan(width, size, batches):
    """Return `sample` and `discriminate` of the SavedModel that `tfgen.export` writes."""
    model = gan(width, size)
    with tempfile.TemporaryDirectory() as folder:
        contender = serving(tfgen.export(model, Path(folder) / "1"), size, batches)
    for endpoint, network in (("sample", model.theta), ("discriminate", model.phi)):
        for batch in batches:
            count = batch * operations.forward(network)
            contender.facts[f"{endpoint}, batch {batch}"] = {"operations": count}
    return contender


def serving(folder, size, batches):
    """Return units "sample, batch <n>" and "discriminate, batch <n>" of a SavedModel."""
    signatures = tf.saved_model.load(str(folder)).signatures
    contender = Contender()
    for batch in batches:
        latents = {"n": tf.constant(batch), "seed": tf.constant(0)}
        images = {"images": tf.random.uniform([batch, size, size, CHANNELS])}
        for endpoint, arguments in (("sample", latents), ("discriminate", images)):
            unit = functools.partial(signatures[endpoint], **arguments)
            contender.units[f"{endpoint}, batch {batch}"] = unit
    return contender
