"""Rows of several requests in one call of the graph, by TensorFlow's own batch scheduler."""

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator

import tensorflow as tf

from tfgen.serving.limits import Batching
from tfgen.serving.signatures import Signature

Function = Callable[..., dict[str, tf.Tensor]]

_numbers = itertools.count()  # queues of equal names would be one queue
_tracing = threading.Lock()


def batch_calls(
    function: Function, signature: Signature, batching: Batching, most: int
) -> Function:
    """Return a function whose concurrent callers share calls of `function`.

    The scheduler concatenates the inputs of its callers along axis 0, repeats rows up to the next of
    its sizes, and returns each caller its own rows; a caller waits until its batch is computed.

    Args:
        function: Signature's function, called by names of inputs.
        signature: Signature that `batches`.
        batching: Sizes, wait and length of the queue.
        most: Largest number of rows of one caller; above `batching.rows` they are split.
    """
    sizes = batching.sizes()
    specs = [tf.TensorSpec(s.shape, s.dtype, name=n) for n, s in signature.inputs.items()]

    @tf.nondifferentiable_batch_function(
        num_batch_threads=batching.threads,
        max_batch_size=max(most, sizes[-1]),
        batch_timeout_micros=batching.microseconds,
        allowed_batch_sizes=sizes,
        max_enqueued_batches=batching.batches,
        enable_large_batch_splitting=True,
    )
    def shared(*tensors):
        outputs = function(**dict(zip(signature.inputs, tensors, strict=True)))
        return [outputs[name] for name in signature.outputs]

    def call(*tensors):
        with tf.name_scope(f"requests_{next(_numbers)}"):
            return dict(zip(signature.outputs, shared(*tensors), strict=True))

    with _without_remapping():
        concrete = tf.function(call, input_signature=specs).get_concrete_function()
    return lambda **tensors: concrete(*(tensors[name] for name in signature.inputs))


@contextlib.contextmanager
def _without_remapping() -> Iterator[None]:
    """Let calls that are traced inside keep their convolutions as they are.

    TensorFlow's remapper adds an attribute with the inputs' shapes to each convolution. Inside a batch
    function, a tensor decoded from strings has no known rank, and TensorFlow 2.21's oneDNN pass then aborts
    the process at that attribute (`CalculateNodeMFlops`).
    """
    with _tracing:
        before = tf.config.optimizer.get_experimental_options().get("remapping", True)
        tf.config.optimizer.set_experimental_options({"remapping": False})
        try:
            yield
        finally:
            tf.config.optimizer.set_experimental_options({"remapping": before})
