"""Parts for color images in every member: spectral normalization, modulation, augmentation, R1, ESS."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import build, digits, large_but, learned_from, precision

import zoo
from tfgen import layers, networks, objectives, testing
from tfgen.layers import augmentation

RNG = np.random.default_rng(0)


def settled(layer, shape, calls=200):
    """The layer, built, after so many power iterations."""
    inputs = tf.constant(RNG.normal(size=(3, *shape)), tf.float32)
    for _ in range(calls):
        layer(inputs, training=True)
    return layer, inputs


@pytest.mark.parametrize(
    ("inner", "shape"),
    [
        (lambda: keras.layers.Dense(5), (7,)),
        (lambda: layers.Conv2D(5, 5, strides=2, padding="same"), (8, 8, 3)),
    ],
    ids=["dense", "convolution"],
)
def test_spectral_normalization_divides_the_kernel_by_its_largest_singular_value(inner, shape):
    layer, inputs = settled(layers.SpectralNormalization(inner()), shape)
    layer.layer.bias.assign(RNG.normal(size=5))
    kernel = layer.layer.kernel.numpy()
    largest = np.linalg.svd(kernel.reshape(-1, 5), compute_uv=False)[0]
    outputs = layer(inputs)
    layer.layer.kernel.assign(kernel / largest)
    np.testing.assert_allclose(outputs, layer.layer(inputs), rtol=1e-4, atol=1e-5)


def test_spectral_normalization_has_the_gradient_of_the_divided_kernel():
    layer, inputs = settled(layers.SpectralNormalization(keras.layers.Dense(4)), (6,))
    upstream = tf.constant(RNG.normal(size=(3, 4)), tf.float32)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(upstream * layer(inputs))
    found = tape.gradient(total, layer.layer.kernel.value)
    kernel = tf.Variable(layer.layer.kernel.value)
    with tf.GradientTape() as tape:  # through all of the singular value decomposition
        divided = kernel / tf.linalg.svd(kernel)[0][0]
        total = tf.reduce_sum(upstream * (inputs @ divided))
    np.testing.assert_allclose(found, tape.gradient(total, kernel), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(tf.tensordot(found, kernel, 2), 0, atol=1e-4)  # scale is free


def test_spectral_normalization_of_a_float32_layer_does_not_round_its_features():
    with precision("mixed_bfloat16"):
        layer = layers.SpectralNormalization(keras.layers.Dense(4, dtype="float32"))
        restored = layers.SpectralNormalization.from_config(layer.get_config())
        assert layers.SpectralNormalization(keras.layers.Dense(4)).compute_dtype == "bfloat16"
    assert restored.compute_dtype == layer.compute_dtype == "float32"
    features = np.array([[1.0, 1.0], [1.001, 1.0]], np.float32)  # equal in bfloat16
    outputs = layer(features).numpy()
    assert (outputs[0] != outputs[1]).all()


def test_inference_and_frozen_statistics_leave_the_power_iteration():
    layer, inputs = settled(layers.SpectralNormalization(keras.layers.Dense(4)), (6,), calls=1)
    before = layer.left.numpy()
    layer(inputs)
    with layers.frozen_statistics():
        layer(inputs, training=True)
    np.testing.assert_array_equal(layer.left, before)
    layer(inputs, training=True)
    assert (layer.left.numpy() != before).any()
    assert [id(v) for v in layer.trainable_variables] == [id(v) for v in layer.layer.weights]


def test_modulation_by_hand():
    layer = layers.Modulation()
    maps, condition = RNG.normal(size=(2, 3, 3, 4)), RNG.normal(size=(2, 5))
    maps, condition = (tf.constant(x, tf.float32) for x in (maps, condition))
    layer([maps, condition])
    kernel = RNG.normal(size=(5, 8))
    layer.outer.kernel.assign(kernel)
    gamma, beta = np.split((condition.numpy() @ kernel)[:, None, None], 2, axis=-1)
    np.testing.assert_allclose(layer([maps, condition]), (1 + gamma) * maps + beta, rtol=1e-4)


@pytest.mark.parametrize("modulation", ["latents", "labels", "both"])
def test_a_modulated_generator_reads_what_it_is_told_to(modulation):
    theta = networks.generator((8, 8, 3), 6, 4, 10, modulation=modulation)
    assert theta.output_shape == (None, 8, 8, 3)
    first = next(x for x in theta.layers if isinstance(x, layers.Modulation))
    sizes = {"latents": 6, "labels": 10, "both": 16}
    assert first.input[1].shape[-1] == sizes[modulation]
    again = type(theta).from_config(theta.get_config())
    again.set_weights(theta.get_weights())
    inputs = [tf.constant(RNG.normal(size=(4, 6)), tf.float32), tf.range(4)]
    np.testing.assert_array_equal(theta(inputs), again(inputs))


@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ({"modulation": "labels"}, "modulation='labels', num_classes=None"),
        ({"modulation": "z"}, "modulation='z'"),
        ({"normalization": "spectral"}, "normalization='spectral'"),
    ],
)
def test_a_generator_refuses_what_it_cannot_be(arguments, received):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        networks.generator((8, 8, 3), 6, 4, **arguments)


IMAGES = tf.constant(RNG.random((2, 8, 8, 3)), tf.float32)


def test_translation_moves_by_whole_pixels_and_lets_zeros_in():
    uniforms = tf.constant([[0.0, 0.99], [0.5, 0.5]])  # up to one pixel of eight: -1 and +1; none
    moved = augmentation.translate(IMAGES, uniforms).numpy()
    expected = np.zeros((8, 8, 3))
    expected[1:, :-1] = IMAGES[0].numpy()[:-1, 1:]
    np.testing.assert_allclose(moved, [expected, IMAGES[1]], rtol=1e-6)


def test_cutout_leaves_a_square_of_zeros():
    uniforms = tf.constant(
        [[0.5, 0.5], [0.0, 0.99]]
    )  # about row 4, column 4; about row 0, column 7
    expected = IMAGES.numpy().copy()
    expected[0, 2:6, 2:6] = 0
    expected[1, :2, 5:] = 0
    np.testing.assert_array_equal(augmentation.cut_out(IMAGES, uniforms), expected)


def test_flip_is_of_the_images_that_the_coin_says():
    flipped = augmentation.mirror(IMAGES, tf.constant([[0.2], [0.7]]))
    np.testing.assert_array_equal(flipped, [IMAGES[0], IMAGES[1].numpy()[:, ::-1]])


@pytest.fixture
def augmenting():
    layer = layers.Augmentation(("flip", "translation", "cutout"), seed=3)
    layer.build(IMAGES.shape)
    return layer


def test_augmentation_is_of_training_and_drawn_anew_for_each_call(augmenting):
    np.testing.assert_array_equal(augmenting(IMAGES), IMAGES)
    first, second = (augmenting(IMAGES, training=True).numpy() for _ in range(2))
    assert (first != second).any()
    augmenting.calls.assign(0)
    with layers.frozen_statistics():
        np.testing.assert_array_equal(augmenting(IMAGES, training=True), first)
    np.testing.assert_array_equal(augmenting(IMAGES, training=True), first)


def test_augmentation_passes_the_gradient_of_what_it_shows(augmenting):
    with tf.GradientTape() as tape:
        tape.watch(IMAGES)
        total = tf.reduce_sum(augmenting(IMAGES, training=True))
    gradient = tape.gradient(total, IMAGES).numpy()
    assert set(np.unique(gradient)) == {0.0, 1.0}
    np.testing.assert_allclose((gradient * IMAGES.numpy()).sum(), total, rtol=1e-5)


def test_an_unknown_augmentation_is_refused():
    with pytest.raises(ValueError, match=r"Received: \['color'\]"):
        layers.Augmentation(("color", "flip"))


@pytest.mark.parametrize(
    ("weights", "size"), [([0.25] * 4, 4.0), ([1.0, 0.0, 0.0], 1.0), ([3.0, 1.0], 1.6)]
)
def test_effective_sample_size(weights, size):
    np.testing.assert_allclose(objectives.effective_sample_size(tf.constant(weights)), size)


def test_r1_of_a_quadratic_is_half_the_squared_gradient():
    scale = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        penalty = objectives.r1_penalty(
            lambda x: scale * tf.reduce_sum(x**2, axis=[1, 2, 3]), IMAGES
        )
    squares = tf.reduce_sum(IMAGES**2, axis=[1, 2, 3])
    np.testing.assert_allclose(penalty, 8 * squares, rtol=1e-5)  # 1/2 (2 * 2 x)^2
    np.testing.assert_allclose(tape.gradient(penalty, scale), 8 * tf.reduce_sum(squares), rtol=1e-5)


OPTIONS = {"spectral": True, "modulation": "both", "augment": ["translation", "cutout", "flip"]}


@pytest.fixture(scope="module")
def colorful():
    model = build("iwcgan_digits", **OPTIONS, r1=0.1, r1_interval=2)
    history = model.fit(*digits(64), batch_size=16, verbose=0).history
    assert 1 <= history["ess"][0] <= 16
    return model


def test_a_model_with_every_option_is_saved_and_goes_on_as_if_unstopped(colorful, tmp_path):
    colorful.save(tmp_path / "m.keras")
    again = zoo.load(tmp_path / "m.keras")
    for model in (again, colorful):
        model.fit(*digits(64), batch_size=16, verbose=0)
    for one, other in zip(again.weights, colorful.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_what_is_served_of_it_is_what_it_says(colorful):
    images, labels = digits(8)
    served = colorful.serving_copy()
    discriminate, _ = served.endpoints()["discriminate"]
    outputs = discriminate(tf.constant(images), tf.constant(labels))
    np.testing.assert_allclose(
        outputs["logits"], colorful.logits(images, labels), rtol=1e-4, atol=1e-5
    )


def test_r1_is_an_addition_to_phis_objective_in_every_second_step():
    images, labels = map(tf.constant, digits(8))
    model = build("cgan_digits", r1=3.0, r1_interval=2, normalization=None)
    plain = model.objectives(images, labels)
    norms = objectives.r1_penalty(lambda x: model.logits(x, labels), images)
    found = model.add_penalties(plain, images, labels)
    np.testing.assert_allclose(plain["phi"] - found["phi"], 6 * tf.reduce_mean(norms), rtol=1e-3)
    assert found["theta"] is plain["theta"]
    model.steps.assign(1)
    np.testing.assert_array_equal(model.add_penalties(plain, images, labels)["phi"], plain["phi"])


@pytest.mark.parametrize("residual", [False, True])
def test_labels_enter_phi_by_projection_or_in_a_hidden_layer(residual):
    images, labels = map(tf.constant, digits(4))
    logits = []
    for projection in (True, False):
        model = build("cgan_digits", residual=residual, spectral=True, projection=projection)
        assert ("Dot" in kinds(model.phi)) == projection
        of_classes = [model.logits(images, tf.fill([4], t)) for t in range(10)]
        differences = np.std(of_classes, axis=0)
        assert (differences > 0).all()
        logits.append(model.logits(images, labels))
    assert np.abs(logits[0] - logits[1]).max() > 0
    testing.check_step(
        lambda: build("cgan_digits", residual=residual, spectral=True, projection=False), digits(32)
    )


def test_a_gan_of_residual_networks_moves_by_its_own_objectives():
    options = {"residual": True, "spectral": True, "modulation": "both"}
    testing.check_step(lambda: build("iwcgan_digits", **options), digits(32))


def kinds(network):
    """Names of the classes of a network's layers, out of the networks in it."""
    inner = [layer for layer in network.layers if isinstance(layer, keras.Model)]
    return {type(layer).__name__ for layer in network.layers}.union(*map(kinds, inner))


MEMBERS = (
    "infogan_digits",
    "vaegan_digits",
    "ganvae_digits",
    "aavae_digits",
    "aasvae_digits_10pct",
)


@pytest.mark.parametrize("name", large_but({"ganvae_digits", "aavae_digits"}, MEMBERS))
def test_every_member_with_a_discriminator_of_images_takes_residual_networks(name):
    model = build(name, residual=True, spectral=True)
    assert "Add" in kinds(model.phi)
    has_likelihood = name.startswith("aa")
    assert ("Add" in kinds(model.theta)) != has_likelihood
    before = [weight.numpy() for weight in model.phi.trainable_variables]
    model.fit(*learned_from(name, 16), batch_size=16, verbose=0)
    moved = [
        np.any(a != b.numpy()) for a, b in zip(before, model.phi.trainable_variables, strict=True)
    ]
    assert any(moved)


@pytest.mark.parametrize(
    ("name", "augment"),
    [
        ("infogan_digits", ["cutout"]),
        ("vaegan_digits", []),
        ("ganvae_digits", []),
        ("aavae_digits", ["cutout"]),
        ("aasvae_digits_10pct", ["cutout"]),
    ],
)
def test_every_member_with_a_discriminator_of_images_takes_the_options(name, augment):
    options = {"augment": augment} if augment else {}
    sizes = {"decoder_units": None} if name.startswith("aasvae") else {}
    model = build(
        name, **sizes, **options, spectral=True, modulation="latents", normalization="batch", r1=2.0
    )
    assert {"SpectralNormalization", *(["Augmentation"] if augment else [])} <= kinds(model.phi)
    assert "BatchNormalization" not in kinds(model.phi)
    assert "Modulation" in kinds(model.theta)
    images, labels = map(tf.constant, digits(8))
    plain = model.objectives(images, labels)
    assert all(np.isfinite(objective) for objective in plain.values())
    norms = objectives.r1_penalty(lambda x: model.logits(x, labels), images)
    found = model.add_penalties(plain, images, labels)
    difference = {player: plain[player] - found[player] for player in plain}
    assert {**difference, "phi": 0.0} == dict.fromkeys(plain, 0.0)
    np.testing.assert_allclose(difference["phi"], 32 * tf.reduce_mean(norms), rtol=1e-3)
    assert type(model).from_config(model.get_config()).r1 == 2.0


@pytest.mark.parametrize("name", ["vae_digits", "aae_digits", "ada_digits", "cyclegan_digits"])
def test_r1_is_refused_without_a_discriminator_of_images(name):
    with pytest.raises(ValueError, match="r1 must be 0 unless phi reads images of one domain"):
        build(name, r1=1.0)


def test_a_model_without_options_is_the_one_of_before():
    model = build("cgan_digits")
    found = set().union(*map(kinds, model.players.values()))
    assert not found & {"SpectralNormalization", "Modulation", "Augmentation"}
    objectives_ = {"theta": tf.constant(1.0), "phi": tf.constant(2.0)}
    assert model.add_penalties(objectives_, None, None) is objectives_
    assert [metric.name for metric in model.metrics] == ["theta", "phi"]


def test_replicas_do_what_one_would_with_the_global_batch(replicas):
    images = tf.constant(RNG.random((4, 8, 8, 3)), tf.float32)

    def stack():
        keras.utils.set_random_seed(0)
        convolution = layers.Conv2D(3, 5, strides=2, padding="same")
        stacked = [
            layers.Augmentation(("flip", "cutout")),
            layers.SpectralNormalization(convolution),
        ]
        for layer in stacked:
            layer.build((None, 8, 8, 3))
        return stacked

    def called(stacked, x):
        for layer in stacked:
            x = layer(x, training=True)
        return x

    with replicas.scope():
        shared = stack()

    @tf.function
    def step(parts):
        return replicas.run(lambda x: called(shared, x), args=(parts,))

    parts = replicas.experimental_distribute_values_from_function(
        lambda context: images[2 * context.replica_id_in_sync_group :][:2]
    )
    outputs = replicas.experimental_local_results(step(parts))
    alone = stack()
    np.testing.assert_allclose(tf.concat(outputs, 0), called(alone, images), rtol=1e-4, atol=1e-5)
    for one, other in zip(alone, shared, strict=True):
        for weight, copies in zip(one.weights, other.weights, strict=True):
            np.testing.assert_allclose(weight, copies, rtol=1e-5, atol=1e-6)
