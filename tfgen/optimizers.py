"""Adam in one pass over the weights, and one optimizer per player."""

import warnings
from collections.abc import Sequence
from typing import Any, Self

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("tfgen")
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` by TensorFlow's fused kernel, with the same state, configuration and results.

        m <- m + (1 - beta_1)(g - m);    v <- v + (1 - beta_2)(g^2 - v)
        w <- w - rate sqrt(1 - beta_2^n)/(1 - beta_1^n) m / (sqrt(v) + epsilon)

    Keras computes these lines by separate operators, each a pass over memory; on a CPU they take a
    tenth of a DCGAN's step.  With `amsgrad`, sparse gradients or weights other than float32 the step is
    Keras' own.

    Source: Kingma & Ba (2015).
    """

    def update_step(
        self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: Any
    ) -> None:
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

    def _all_reduce_sum_gradients(self, grads_and_vars):
        """Leave the gradients of one replica: their sum would be registered for differentiation.

        TensorFlow keeps what is registered, here with the graph of the step and the weights it reads, for
        the life of the process.
        """
        if tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return grads_and_vars
        return super()._all_reduce_sum_gradients(grads_and_vars)


@keras.saving.register_keras_serializable("tfgen")
class PlayerOptimizers(keras.optimizers.Optimizer):
    """One optimizer per player, as two-time-scale updates need (Heusel et al. 2017).

    Each variable is updated by the optimizer of the player that owns it; the model calls `route` whenever
    it is compiled or loaded.  `learning_rate` reads the first player's rate; set a rate on the player's
    optimizer, `model.optimizer.players["phi"].learning_rate`.

    Args:
        players: {player: Keras optimizer or its name}.
        name: Name of the optimizer, for Keras.

    Raises:
        TypeError: An entry is not an optimizer.
        ValueError: Two players have the same optimizer, which holds the moments and steps of one.
    """

    def __init__(self, players: dict[str, keras.Model], name: str = "players"):
        super().__init__(learning_rate=0.0, name=name)
        self.players = {player: keras.optimizers.get(given) for player, given in players.items()}
        if len({id(optimizer) for optimizer in self.players.values()}) < len(self.players):
            raise ValueError(f"Each player needs an optimizer of its own. Received: {players}")
        self._owners = {}

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """Optimizers in the order of the players, for Keras' callbacks."""
        return list(self.players.values())

    def route(self, owned: dict) -> None:
        """Set the variables of each player, {player: variables}.

        Raises:
            ValueError: The players differ from the optimizers'.
        """
        if set(owned) != set(self.players):
            raise ValueError(
                f"compile takes one optimizer, or one per player, {', '.join(owned)}. "
                f"Received: {', '.join(self.players)}"
            )
        self._owners = {id(v): player for player, variables in owned.items() for v in variables}

    def _variables_of_players(self, variables):
        return {
            player: [i for i, v in enumerate(variables) if self._owners[id(v)] == player]
            for player in self.players
        }

    def build(self, variables: list[keras.Variable]) -> None:
        for player, indices in self._variables_of_players(variables).items():
            self.players[player].build([variables[i] for i in indices])
        super().build(variables)

    def apply(
        self, grads: list[tf.Tensor], trainable_variables: list[keras.Variable] | None = None
    ) -> None:
        variables = trainable_variables or self._trainable_variables
        if not self.built:
            self.build(variables)
        for player, indices in self._variables_of_players(variables).items():
            self.players[player].apply([grads[i] for i in indices], [variables[i] for i in indices])

    @property
    def variables(self) -> list[keras.Variable]:
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]

    def save_own_variables(self, store: Any) -> None:
        """Store nothing: Keras stores each player's optimizer itself."""

    def load_own_variables(self, store: Any) -> None:
        """Load nothing, see `save_own_variables`."""

    @property
    def iterations(self) -> keras.Variable:
        return self.optimizers[0].iterations

    @property
    def learning_rate(self) -> Any:
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> Any:
        raise ValueError(
            "Each player's optimizer has a rate of its own; set it there, "
            f"model.optimizer.players[...].learning_rate. Received: learning_rate={value}"
        )

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        for player, indices in self._variables_of_players(var_list).items():
            self.players[player].finalize_variable_values([var_list[i] for i in indices])

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        optimizers = [serialize(optimizer) for optimizer in self.optimizers]
        return {"name": self.name, "players": list(self.players), "optimizers": optimizers}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        read = keras.saving.deserialize_keras_object
        optimizers = [read(optimizer, custom_objects) for optimizer in config["optimizers"]]
        return cls(dict(zip(config["players"], optimizers, strict=True)), name=config["name"])


def check_schedules(optimizer: Any, callbacks: Sequence[keras.callbacks.Callback]) -> None:
    """Warn of a schedule that has ended at rate 0, and reject callbacks that would set a scheduled rate.

    Args:
        optimizer: Optimizer of the model to be trained.
        callbacks: Callbacks passed to `fit`.

    Raises:
        ValueError: A callback sets the rate, which a schedule already does.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    for one in getattr(optimizer, "optimizers", [optimizer]):
        if not isinstance(one._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            continue
        setting = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)
        for callback in callbacks:
            if isinstance(callback, setting):
                raise ValueError(
                    "The learning rate follows the optimizer's schedule; compile the model again to "
                    f"change it. Received: {type(callback).__name__}"
                )
        if one.iterations > 0 and float(one.learning_rate) == 0:
            warnings.warn(
                "The learning rate is 0: its schedule has ended, and no weight will change. Compile the "
                "model again to train it further.",
                stacklevel=3,
            )
