"""Score a model on a data set: named metrics with confidence intervals."""

from typing import Any

from tfgen import checks
from tfgen.evaluation import capabilities
from tfgen.evaluation.capabilities import CAPABILITIES, Capability
from tfgen.evaluation.context import EvaluationContext
from tfgen.evaluation.folders import compare
from tfgen.evaluation.samples import NEIGHBORS

MAX_SAMPLES = 10_000_000

__all__ = ["CAPABILITIES", "MAX_SAMPLES", "Capability", "compare", "evaluate"]


def evaluate(
    model: Any, data: Any, samples: int = 10_000, evaluator: Any = None, seed: int = 0
) -> dict:
    """Score a model by the metrics of each of its endpoints.

    A model with `sample` is scored by an evaluator on `samples` generated images:

    - `inception_score`, beside the real test set's `inception_score_real` and their
      `inception_score_ratio`, in which the real score counts as a constant;
    - `fid`, against the moments of the whole test set. It is biased upwards by a term that falls
      with 1/samples, so only values at equal `samples` compare; with fewer samples than features it
      it is defined but mostly bias. Its interval covers its expectation at this `samples`;
    - `kid`, unbiased, on at most 10,000 generated images and the reference's feature sample;
    - `precision` and `recall`, at 3 neighbors, on equally many generated and real images (at most
      the reference's feature sample). Their intervals are those of a proportion, widened to the spread
      over several draws if there are enough samples for several;
    - `conditional_accuracy`, if the model is conditional: the share of samples that the evaluator
      classifies as the class they were drawn for (each class equally often), beside
      `evaluator_accuracy`, its accuracy on the real test set.

    A generator that learns with the weights of Eq. 43 has `ess_share`, their effective sample size as a
    share of their number, from 1/64 to 1, see `tfgen.evaluation.weights`.

    A model with a second sampler has the metrics of that sampler too, with its name as prefix:
    `aggregate_` of the mixture of `fit_sampler`, `truncated_` of a GAN's `truncation`.

    A model with `classify` has its `accuracy` measured on the test split. If its attribute `clustering`
    says that its classes are clusters, `clustering_accuracy` is measured instead: accuracy under the best
    one-to-one assignment of clusters to classes, which the interval takes as given.

    A model with `bound` has bounds on the log-likelihood of the test images measured, in nats per image,
    given their labels if it is a conditional model that learns from labelled images only. A Bernoulli
    likelihood reads one fixed binarization of the test set, drawn from the gray values; other
    likelihoods read the images as they are:

    - `bound`, the variational bound, on the whole test set;
    - `iw_bound_64` and `iw_bound_1024`, the importance-weighted bounds, on as many images as 1,024,000
      draws allow: the whole of MNIST's test set and 1,000 images. A model that sums over K classes
      draws for each of them, on 1/K of these images;
    - `iw_bound_64_gain` and `iw_bound_1024_gain`, their mean differences from the variational bound on
      the same images, since the bounds themselves are means over different images;
    - if z ~ N(0, I) and there is no sum over classes, `ais_bound`, annealed importance sampling on 100
      images, as a check, and `ais_bound_gain`, its mean difference from `iw_bound_1024` on these;
    - `active_units` of z, Burda et al. (2015), if z is Gaussian;
    - `bits_per_dim` of the variational bound, if the likelihood is the discretized logistic.

    A model with `translate_ab` and `translate_ba` is scored on the test splits of its two domains A and
    B, brought to the model's size and channels:

    - `label_kept_ab`, the share of A's images whose translation the evaluator of B classifies as their
      label, beside `evaluator_accuracy_b`, its accuracy on B's own images, and
      `label_kept_ab_untranslated`, its accuracy on A's images without translation;
    - `cycle_error_aba`, the mean absolute error per pixel of A's images translated there and back;
    - the same with A and B exchanged.

    A model with `encode` and binary codes (`binary_code`) is scored on the codes of the test split:

    - `code_entropy`, the sum of the units' entropies, in bits;
    - `predictability`, the part of that entropy, in bits, that predictors explain, each predicting a
      unit from the others, fitted to one half of the codes and scored on the other: 0 for independent
      units. It grows with the predictors' quality, so it bounds the units' dependence from below;
    - `reconstruction_error`, the mean squared error per pixel of the images that the codes decode to.

    Intervals have level .95.

    Args:
        model: Has the endpoint `sample`, and then the method `sample(n, seed=, [labels=])` ->
            (n, h, w, c) in [0, 1]; the endpoint `classify`; or `bound`, and then what
            `tfgen.evaluation.likelihood` reads. An object without `endpoints()` has methods of these names
            instead. A generator is conditional if its `conditional` is True or, without that attribute,
            if its `num_classes` is not None.
        data: The data set's name; it names the evaluator and the test split. For a classifier or a
            bound also a `tf.data.Dataset` of batches (images, labels), where images with label -1 are
            skipped. For a model of two domains the names of both, (A, B).
        samples: Number of images to generate, from 4 to 10,000,000.
        evaluator: An `Evaluator` or the path of its folder, two of them for two domains; None looks for
            `resnet_<data>`.  A folder holds a SavedModel, which is a program: give one that you trust.
        seed: Seed of the samples and the draws of z, which fixes every number.

    Returns:
        {metric: {"value": float, "low": float, "high": float}}.

    Raises:
        TypeError: The model has none of these endpoints, or an argument has the wrong type.
        ValueError: An argument is out of range, or model and evaluator disagree on images or classes.
        FileNotFoundError: There is no evaluator for the data set.

    Examples:
        >>> import tfgen, zoo
        >>> scores = tfgen.evaluate(zoo.load("cgan_digits"), "digits", samples=200)
        >>> sorted(scores)[:4]
        ['conditional_accuracy', 'evaluator_accuracy', 'fid', 'inception_score']
        >>> scores["conditional_accuracy"]["value"] > 0.8
        True
    """
    checks.check_integer("samples", samples, NEIGHBORS + 1, MAX_SAMPLES)
    checks.check_seed(seed)
    measures = capabilities.measures_of(model)
    context = EvaluationContext(model, data, int(samples), evaluator, int(seed))
    measured = {name: value for measure in measures for name, value in measure(context).items()}
    return {name: interval._asdict() for name, interval in measured.items()}
