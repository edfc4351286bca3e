"""Optimisers that the field lacks: Adam in one pass over the weights."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("tfgen")
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` by TensorFlow's fused kernel: same state, configuration and results.

        m <- m + (1 - beta_1)(g - m);    v <- v + (1 - beta_2)(g^2 - v)
        w <- w - rate sqrt(1 - beta_2^n)/(1 - beta_1^n) m / (sqrt(v) + epsilon)

    Keras writes these lines as separate operators, each a pass over memory; on a CPU they take a
    tenth of a DCGAN's step.  With `amsgrad`, sparse gradients or other than float32 weights it is
    Keras' own.

    Source: Kingma & Ba (2015).
    """

    def update_step(self, gradient, variable, learning_rate):
        dense = isinstance(gradient, tf.Tensor)
        if self.amsgrad or not dense or variable.dtype not in ("float32", tf.float32):
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        steps = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].handle,
            v=self._velocities[index].handle,
            beta1_power=self.beta_1**steps,
            beta2_power=self.beta_2**steps,
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
