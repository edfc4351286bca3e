"""A quiet TensorFlow, here and in the processes that tests start, with four logical CPUs."""

import functools
import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TFGEN_CACHE", "off")

import pytest
import tensorflow as tf


def pytest_addoption(parser):
    """Add options that run the contract in another precision or under XLA, for a machine with a GPU."""
    parser.addoption("--large", action="store_true", help="Run the tests marked large as well.")
    parser.addoption("--policy", help="Keras dtype policy of every model, as mixed_bfloat16.")
    parser.addoption("--xla", choices=("yes", "no"), help="Whether XLA compiles every step.")


def pytest_configure(config):
    """Divide the CPU in four, which TensorFlow takes only before its first operation."""
    if config.option.policy or config.option.xla:
        _apply_options(config.option.policy, config.option.xla)
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 4)


def _apply_options(policy, xla):
    import keras

    from tfgen import Unified

    # Its products have 10 digits of float32's 23.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    if policy:
        keras.config.set_dtype_policy(policy)
    if xla:
        Unified.compile = functools.partialmethod(Unified.compile, jit_compile=xla == "yes")


def pytest_collection_modifyitems(config, items):
    """Leave out the large tests, unless they are asked for."""
    if not config.option.large:
        large = [item for item in items if item.get_closest_marker("large")]
        items[:] = [item for item in items if not item.get_closest_marker("large")]
        config.hook.pytest_deselected(items=large)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown():
    """Take what a test left out of later garbage collections.

    TensorFlow keeps the graph of every step of Keras' own optimizers (see `tfgen.optimizers.Adam`), 7,000
    objects for a GAN of `digits`: after a thousand tests a collection took seconds.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def determinism(monkeypatch):
    """List of requests of commands for determinism, which are not granted, as nothing can undo them.

    It would stay for all tests of this process, and XLA is refused under it.
    """
    asked = []
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: asked.append(1))
    return asked


@pytest.fixture(scope="session")
def replicas():
    """Two replicas on two of the logical CPUs."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture
def unchecked_heads():
    """Skip the checks of heads, for models of toy networks whose values are known by hand."""
    from tfgen.networks import heads

    with heads.skip_trials():
        yield


@pytest.fixture(scope="session")
def presets(tmp_path_factory):
    """A folder of two published presets, `cgan_small` and its evaluator `resnet_small`."""
    import small

    return small.publish(tmp_path_factory.mktemp("published"))


@pytest.fixture
def decoded(monkeypatch):
    """Names of the pictures of folders that were decoded so far."""
    from tfgen.data import folders

    names, decode = [], folders.decode

    def record(path):
        names.append(path.name)
        return decode(path)

    monkeypatch.setattr(folders, "decode", record)
    return names
