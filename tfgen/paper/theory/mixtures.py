"""Fig. 2 computed: one step of theta through Eq. 6 on a density with two modes."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfgen.drawing import plots
from tfgen.objectives import FAKE
from tfgen.paper.theory.adversarial import posterior, variational_loss
from tfgen.paper.theory.tables import gradients

GRID = np.linspace(-8.0, 8.0, 1601)
WEIGHTS, MEANS, SCALE = (0.65, 0.35), (-1.0, 3.5), 0.7  # p_data's two modes
START = (-2.5, 0.0)  # p_g's mean and log standard deviation


class Step(NamedTuple):
    """Densities on the grid (g,) before and after one step of theta, and theta after it."""

    x: np.ndarray
    data: np.ndarray  # p_data(x)
    generated: np.ndarray  # p_g(x) at theta0
    discriminator: np.ndarray  # D(x), a probability
    posterior: np.ndarray  # q^r(x|y=0)
    updated: np.ndarray  # p_g(x) after the step
    theta: np.ndarray  # (2,) mean and log standard deviation after the step

    def smaller_mode(self, density: Any) -> float:
        """Return the probability that a density assigns to p_data's smaller mode, right of the minimum."""
        return float(density[self.x > np.mean(MEANS)].sum() * (self.x[1] - self.x[0]))


def figure_2(theta: Any = START, sharpness: float = 0.5, rate: float = 2.0) -> Any:
    """Fig. 2: one step of theta down the gradient of Eq. 6's right side, and the mode it misses.

    p_data is a mixture of two Gaussians, p_g one Gaussian near the larger.  The discriminator has the
    logit sharpness * log p_data/p_g: sharpness 0 gives a constant discriminator, whose posterior
    q^r(x|y=0) is the mixture p_theta0, sharpness 1 the optimal one, whose posterior is p_data.

    Args:
        theta: Mean and log standard deviation of p_g at theta0.
        sharpness: Sharpness of the discriminator, in [0, 1].
        rate: Length of the step as a multiple of the gradient, positive.

    Returns:
        A `Step`.

    Raises:
        ValueError: Sharpness or rate is out of range.
    """
    if not 0 <= sharpness <= 1:
        raise ValueError(f"sharpness must be in [0, 1]. Received: sharpness={sharpness}")
    if not rate > 0:
        raise ValueError(f"rate must be positive. Received: rate={rate}")
    theta = np.array(theta, np.float64)
    log_data = np.logaddexp(
        *(
            np.log(weight) + _log_gaussian(mean, np.log(SCALE))
            for weight, mean in zip(WEIGHTS, MEANS, strict=True)
        )
    )
    data = tf.exp(log_data)
    logits = sharpness * (log_data - _log_gaussian(*theta))

    def conditionals(theta):
        return tf.stack([tf.exp(_log_gaussian(*tf.unstack(theta))), data])

    [[gradient]] = gradients(lambda theta: [variational_loss(conditionals(theta), logits)], theta)
    before = conditionals(tf.constant(theta))
    updated = theta - rate * gradient
    density = 1 / (GRID[1] - GRID[0])  # of a probability on a cell of the grid
    return Step(
        x=GRID,
        data=data.numpy() * density,
        generated=before[FAKE].numpy() * density,
        discriminator=tf.sigmoid(logits).numpy(),
        posterior=posterior(before, logits)[FAKE].numpy() * density,
        updated=conditionals(tf.constant(updated))[FAKE].numpy() * density,
        theta=updated,
    )


def draw_figure_2(path: Path) -> str | Path:
    """Draw Fig. 2 to a PNG file: left p_g, p_data and the posterior at theta0, right p_g after the step.

    Returns:
        The path written.

    Raises:
        ImportError: Matplotlib is not installed.
        OSError: The file cannot be written.
    """
    step = figure_2()
    figure, (before, after) = plots.axes(2, size=(5.0, 3.2))
    for axes in (before, after):
        axes.plot(step.x, step.data, "k--", label=r"$p_{data}(x)$")
        axes.plot(step.x, step.posterior, "tab:green", label=r"$q^r(x|y=0)$")
        axes.set(xlabel="$x$", xlim=(-6.0, 6.0))
    before.plot(step.x, step.generated, "tab:blue", label=r"$p_{g_{\theta_0}}(x)$")
    before.plot(step.x, step.discriminator, "tab:gray", linewidth=0.8, label="$D(x)$")
    before.set_title(r"at $\theta_0$")
    after.plot(step.x, step.updated, "tab:red", label=r"$p_{g_{\theta_{new}}}(x)$")
    after.set_title("after one step: the smaller mode is missed")
    for axes in (before, after):
        axes.legend(frameon=False)
    return plots.save(figure, path)


def _log_gaussian(mean, log_scale):
    """Return the log-probability of every cell of the grid under N(mean, exp(log_scale)), (g,)."""
    return tf.nn.log_softmax(-0.5 * ((GRID - mean) / tf.exp(log_scale)) ** 2)
