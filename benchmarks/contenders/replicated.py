"""An IWGAN's step on several logical CPUs of one process, at one global batch."""

import tensorflow as tf

import tfgen
import zoo
from benchmarks.worker import Contender


def steps(replicas: int, batch: int, width: int) -> Contender:
    """Return the contender; its unit "step" trains on one global batch of digits."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    devices = [tf.config.LogicalDeviceConfiguration()] * replicas
    tf.config.set_logical_device_configuration(cpu, devices)
    strategy = tf.distribute.get_strategy()
    if replicas > 1:
        strategy = tf.distribute.MirroredStrategy([f"CPU:{index}" for index in range(replicas)])
    recipe = zoo.RECIPES["iwgan_digits"]
    recipe = {**recipe, "build": {**recipe["build"], "width": width}}
    with strategy.scope():
        model = zoo.build(recipe, tfgen.data.info("digits"))
        model.optimizer.build(model.trainable_variables)  # as `fit` does before its first step
    batches = tfgen.data.load("digits", batch_size=batch).repeat()
    if replicas > 1:
        tfgen.replicas.synchronize(model)
    batches, _ = tfgen.replicas.distribute(strategy, batches)
    model.make_train_function()
    iterator = iter(batches)
    return Contender({"step": lambda: model.train_function(iterator)}, {"replicas": replicas})
