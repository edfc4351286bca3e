"""What a model may be made of: networks that fit together, parameters within their range."""

import keras

LIKELIHOODS = ("bernoulli", "logistic", "gaussian")


def check_constructor(players, average):
    """Players partition the trainable variables; the average's decay lies in (0, 1) and has a theta."""
    owners = {}
    for name, network in players.items():
        if not isinstance(network, keras.Model) or not network.built:
            raise TypeError(f"{name} must be a built keras.Model. Received: {name}={network!r}")
        for variable in network.trainable_variables:
            if id(variable) in owners:
                raise ValueError(
                    "Players must not share a trainable variable. "
                    f"Received: {variable.path} in {owners[id(variable)]} and {name}"
                )
            owners[id(variable)] = name
    if average is not None and not ("theta" in players and 0 < average < 1):
        raise ValueError(
            "average must be None, or a decay between 0 and 1 in a model that has theta. "
            f"Received: average={average}, players={sorted(players)}"
        )


def check_networks(num_classes, theta, phi):
    """Theta makes what phi reads, and both have a second input exactly if there are classes.

    Raises:
        ValueError: shapes or inputs do not fit.
    """
    check_features(theta, phi=phi)
    check_readers(num_classes, theta=theta, phi=phi)


def check_features(theta, **readers):
    """Every other network reads what theta makes.

    Raises:
        ValueError: shapes do not fit.
    """
    made = tuple(theta.output_shape[1:])
    for name, network in readers.items():
        read = tuple(network.inputs[0].shape[1:])
        if read != made:
            raise ValueError(
                f"{name} must read what theta makes. Received: theta={made}, {name}={read}"
            )


def check_readers(num_classes, **networks):
    """Every network has a second input, for labels, exactly if there are classes.

    Raises:
        ValueError: one has too few inputs or too many.
    """
    for name, network in networks.items():
        expected = 1 if num_classes is None else 2
        if len(network.inputs) != expected:
            raise ValueError(
                "Networks must have an input for labels exactly if num_classes is given. "
                f"Received: num_classes={num_classes}, {name} with {len(network.inputs)} inputs"
            )


def check_chain(theta, eta):
    """Theta generates x, h_1 .. h_L from h_1 .. h_L; eta infers h_1 .. h_L from x, h_1 .. h_L-1.

    Raises:
        ValueError: their layers differ.
    """
    (read, generated), (seen, inferred) = (
        [[tuple(end.shape[1:]) for end in ends] for ends in (network.inputs, network.outputs)]
        for network in (theta, eta)
    )
    images = generated[0]
    if generated != [images, *read] or seen != [images, *read[:-1]] or inferred != read:
        raise ValueError(
            "theta must generate x, h_1 .. h_L from h_1 .. h_L, and eta infer h_1 .. h_L from x, "
            f"h_1 .. h_L-1. Received: theta from {read} to {generated}, eta from {seen} to {inferred}"
        )


def check_variational(players, temperature, importance_samples, likelihood):
    """The likelihood is known and theta has its parameters; T and k are positive; eta infers theta's z.

    Raises:
        ValueError: one of these does not hold.
    """
    theta, eta = players["theta"], players["eta"]
    if likelihood not in LIKELIHOODS:
        raise ValueError(
            f"likelihood must be one of {LIKELIHOODS}. Received: likelihood={likelihood!r}"
        )
    check_positive(temperature=temperature)
    if isinstance(importance_samples, bool) or not (
        isinstance(importance_samples, int) and importance_samples >= 1
    ):
        raise ValueError(
            "importance_samples must be an int of at least 1. "
            f"Received: importance_samples={importance_samples!r}"
        )
    outputs = 1 if likelihood == "bernoulli" else 2
    if len(theta.outputs) != outputs:
        raise ValueError(
            f"theta must have {outputs} outputs for the {likelihood} likelihood. "
            f"Received: theta with {len(theta.outputs)} outputs"
        )
    check_latents(theta, eta)


def check_positive(**values):
    """Every value is above zero.

    Raises:
        ValueError: one is not.
    """
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive. Received: {name}={value}")


def check_not_negative(**values):
    """Every value is zero or above.

    Raises:
        ValueError: one is not.
    """
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} must not be negative. Received: {name}={value}")


def check_latents(theta, eta):
    """Eta infers what theta reads.

    Raises:
        ValueError: their latents differ in length.
    """
    drawn, inferred = theta.inputs[0].shape[-1], eta.output["mean"].shape[-1]
    if drawn != inferred:
        raise ValueError(
            f"eta must infer the latents that theta reads. Received: theta={drawn}, eta={inferred}"
        )


def check_autoencoder(players):
    """Eta infers codes of the length that theta reads, from images of the shape that theta makes.

    Raises:
        ValueError: one of these does not hold.
    """
    theta, eta = players["theta"], players["eta"]
    read, inferred = theta.inputs[0].shape[1:], eta.output_shape[1:]
    if tuple(read) != tuple(inferred):
        raise ValueError(
            f"eta must infer the codes that theta reads. Received: theta={read}, eta={inferred}"
        )
    made, encoded = theta.output_shape[1:], eta.inputs[0].shape[1:]
    if tuple(made) != tuple(encoded):
        raise ValueError(
            f"eta must read the images that theta makes. Received: theta={made}, eta={encoded}"
        )


def check_code_discriminator(theta, phi):
    """Phi reads the codes that theta reads.

    Raises:
        ValueError: the codes differ in length.
    """
    decoded, judged = theta.inputs[0].shape[1:], phi.inputs[0].shape[1:]
    if tuple(decoded) != tuple(judged):
        raise ValueError(
            f"phi must read the codes that theta reads. Received: theta={decoded}, phi={judged}"
        )


def check_code_classes(theta, num_classes, clusters):
    """The code (z, t) is longer than its one-hot t, and there is a t if its values are clusters.

    Raises:
        ValueError: one of these does not hold.
    """
    if clusters and num_classes is None:
        raise ValueError("clusters need num_classes. Received: num_classes=None")
    length = theta.inputs[0].shape[-1]
    if num_classes is not None and not 0 < num_classes < length:
        raise ValueError(
            "A code (z, t) must be longer than its one-hot t. "
            f"Received: code of length {length}, {num_classes=}"
        )


def check_predictors(theta, phi):
    """Phi reads the codes that theta reads, and has a logit for each unit.

    Raises:
        ValueError: one of these does not hold.
    """
    check_code_discriminator(theta, phi)
    if tuple(phi.output_shape) != tuple(phi.inputs[0].shape):
        raise ValueError(
            "phi must predict every unit of the code. "
            f"Received: units={phi.inputs[0].shape[1:]}, logits={phi.output_shape[1:]}"
        )


def check_codes(theta, eta, num_categories, num_continuous, info_weight):
    """Eta infers the codes that end theta's z; lambda is not negative.

    Raises:
        ValueError: one of these does not hold.
    """
    expected = {"logits": num_categories, "mean": num_continuous}
    inferred = {name: eta.output[name].shape[-1] for name in expected}
    if inferred != expected:
        raise ValueError(
            "eta must infer num_categories logits and num_continuous means. "
            f"Received: eta={inferred}, {num_categories=}, {num_continuous=}"
        )
    drawn = theta.inputs[0].shape[-1]
    if drawn <= num_categories + num_continuous:
        raise ValueError(
            "theta's z must hold noise, then the codes as its last columns. "
            f"Received: theta={drawn}, {num_categories=}, {num_continuous=}"
        )
    if not info_weight >= 0:
        raise ValueError(f"info_weight must not be negative. Received: info_weight={info_weight}")


def check_translators(theta, eta, phi):
    """Theta and eta translate between the same two domains, A and B, and phi reads both.

    Raises:
        ValueError: one of these does not hold.
    """
    check_autoencoder({"theta": theta, "eta": eta})
    made = [tuple(network.output_shape[1:]) for network in (theta, eta)]
    read = [tuple(images.shape[1:]) for images in phi.inputs]
    if read != made or len(phi.outputs) != 2:
        raise ValueError(
            "phi must read images of A, which theta makes, and of B, which eta makes, with a logit "
            f"for either. Received: theta and eta={made}, phi={read} with {len(phi.outputs)} outputs"
        )
