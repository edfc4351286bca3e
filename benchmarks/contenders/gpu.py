"""Blocks of DCGAN's training steps on a GPU, with one synchronization per block."""

import keras

from benchmarks.contenders import documentation, ours
from benchmarks.worker import Contender

STEPS = 16  # in a unit: as many as a recipe's `fit` runs between returns to Python
LOOPS = {"tfgen": ours.gan, "keras": documentation.gan}


def gan_steps(loop: str, cases: dict[str, dict], policy: str, jit_compile: bool) -> Contender:
    """Units of `STEPS` steps of DCGAN, by this library or by the documentation's loop.

    Args:
        loop: Name in `LOOPS`.
        cases: {name: {"width", "size", "batch"}}.
        policy: Keras dtype policy.
        jit_compile: Whether XLA compiles the step.
    """
    keras.config.set_dtype_policy(policy)
    contender = Contender()
    for name, case in cases.items():
        model = LOOPS[loop](case["width"], case["size"])
        batches = ours.pipeline(case["size"], case["batch"])
        contender.units[name] = _block(model, batches, jit_compile)
    return contender


def _block(model, batches, jit_compile):
    """Return a unit of `STEPS` steps, run once, that reads the numbers of the last step."""
    _build_optimizers(model)  # XLA compiles no creation of variables
    model.jit_compile = jit_compile
    model.steps_per_execution = STEPS
    run = ours.step(model, batches)

    def unit():
        for value in run().values():
            value.numpy()

    unit()  # traced and compiled at the same time as the other contenders
    return unit


def _build_optimizers(model):
    if isinstance(model, documentation.DocumentationGAN):
        model.d_optimizer.build(model.discriminator.trainable_variables)
        model.g_optimizer.build(model.generator.trainable_variables)
    else:
        model.optimizer.build(model.trainable_variables)
