"""Files of strangers: each crafted one is refused in our words and does nothing; honest ones load."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import hostile_archives
import hostile_documents
import hostile_files
import hostile_weights
import keras
import numpy as np
import pytest

import zoo
from tfgen import untrusted
from zoo.preset import load

# Loads every file of a folder, with little more memory than TensorFlow's own; prints {name: what came of
# it} and what was opened for writing, connected to or run meanwhile.
PROCESS = """
import json, os, resource, sys
from pathlib import Path

import tensorflow
import zoo

zoo.GAN
zoo.load(sys.argv[2])  # imports what loading imports
used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30),) * 2)
deeds = []


def watch(event, arguments):
    if event == "open" and not isinstance(arguments[2], int):
        return
    writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "exec"):
        deeds.append([event, repr(arguments)[:200]])


outcomes = {}
names = sorted(Path(sys.argv[1]).glob("*.keras"))
sys.addaudithook(watch)
for path in names:
    try:
        zoo.load(path)
        outcomes[path.stem] = "loaded"
    except ValueError as error:
        outcomes[path.stem] = f"refused: {error}"
    except Exception as error:
        outcomes[path.stem] = repr(error)
print(json.dumps([outcomes, deeds]))
"""

CASES = [
    *hostile_files.CONFIGURATIONS,
    *hostile_documents.DOCUMENTS,
    *(f"metadata_{name}" for name in hostile_documents.DOCUMENTS if name.startswith("json_top")),
    "metadata_number",
    *hostile_weights.WEIGHTS,
    *hostile_archives.ARCHIVES,
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Result of loading each malicious file, and its side effects."""
    folder = tmp_path_factory.mktemp("hostile")
    names = hostile_files.write(folder)
    honest = folder.parent / f"{folder.name}_honest.keras"
    honest.write_bytes(hostile_archives.packed(hostile_files.honest()))
    work = tmp_path_factory.mktemp("work")
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, folder, honest],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(Path(zoo.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.stem for path in folder.iterdir()) == names
    assert [*work.iterdir()] == []
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", CASES)
def test_a_crafted_file_is_refused_in_our_words(corpus, case):
    outcomes, _ = corpus
    assert outcomes[case].startswith("refused: ")
    assert ". Received: " in outcomes[case]
    assert len(outcomes[case]) < 1200


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (
            "operation_Switch",
            "only what tfgen.untrusted.vocabulary lists. Received: .*'Switch'.*trusted=True",
        ),
        (
            "size_between",
            "declare no more weights than it holds. Received: 4000000132 bytes declared, 352 held",
        ),
        ("size_calls", "call at most 10000 layers"),
        (
            "weights_unwritten",
            "Arrays must lie within their file. Received: '0' of 68719476736 bytes",
        ),
        ("zip_overlapping", "follow each other"),
    ],
)
def test_the_reason_is_the_one_meant(corpus, case, reason):
    outcomes, _ = corpus
    assert re.search(reason, outcomes[case]), outcomes[case]


def test_every_file_is_a_case(corpus):
    outcomes, _ = corpus
    assert outcomes.keys() == set(CASES)
    assert len(CASES) > 150


def test_crafted_files_write_ask_and_run_nothing(corpus):
    _, deeds = corpus
    assert deeds == []


L = keras.layers


def dense(features):
    x = L.Dense(8, activation="gelu", kernel_initializer="he_normal", kernel_constraint="unit_norm")
    y = L.Dense(
        8, kernel_regularizer=keras.regularizers.L1L2(1e-4, 1e-4), activity_regularizer="l2"
    )
    return L.PReLU()(L.LayerNormalization()(y(L.Dropout(0.1, seed=3)(x(features)))))


def residual(features):
    x = L.Dense(8)(features)
    y = keras.ops.silu(L.Dense(8)(L.RMSNormalization()(x))) * 0.5 + x
    return L.Concatenate()([1 - y[:, :4], keras.ops.maximum(y, 0.1), y / 3.0])


def convolutions(features):
    x = L.Reshape((4, 4, 1))(L.Dense(16)(features))
    x = L.SpectralNormalization(L.Conv2D(4, 3, padding="same"))(x)
    x = L.LeakyReLU(0.1)(L.BatchNormalization()(L.Conv2DTranspose(4, 3, 2, padding="same")(x)))
    x = L.ReLU()(L.GroupNormalization(2)(L.DepthwiseConv2D(3)(L.UpSampling2D(2)(x))))
    x = L.SeparableConv2D(4, 3, activation=keras.activations.swish)(L.AveragePooling2D(2)(x))
    return L.GlobalAveragePooling2D()(L.GaussianNoise(0.1)(L.Resizing(6, 6)(L.ZeroPadding2D(1)(x))))


def attention(features):
    x = L.Reshape((4, 4))(L.Dense(16)(features))
    x = L.Add()([x, L.MultiHeadAttention(2, 4, dropout=0.1)(x, x)])
    return L.Flatten()(L.Bidirectional(L.LSTM(3, return_sequences=True))(L.Attention()([x, x])))


def nested(features):
    inner = keras.Sequential([L.Dense(8, "tanh"), L.Rescaling(2.0, -1.0), L.Normalization()])
    outer = keras.Sequential([inner, keras.Sequential([L.Dense(4), L.Activation("mish")])])
    whole = keras.Model(features, outer(features))
    whole.compile("adam", "mse", metrics=["mae", keras.metrics.MeanSquaredError()])
    return whole(features)


def half(features):
    x = L.Dense(8, dtype="mixed_bfloat16")(features)
    return L.Dense(8, dtype=keras.DTypePolicy("mixed_float16"))(L.ELU()(x))


OPTIMIZERS = {
    dense: lambda: keras.optimizers.AdamW(keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.9)),
    residual: lambda: keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True),
    convolutions: lambda: keras.optimizers.RMSprop(clipnorm=1.0),
    attention: lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 9)),
    nested: lambda: keras.optimizers.Lion(),
    half: lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
}


@pytest.mark.parametrize("network", OPTIMIZERS, ids=lambda network: network.__name__)
def test_networks_of_ones_own_load(network, tmp_path):
    latents, images = keras.Input((3,)), keras.Input((4, 4, 1))
    pixels = L.Dense(16, "sigmoid", dtype="float32")(network(latents))
    theta = keras.Model([latents], L.Reshape((4, 4, 1), dtype="float32")(pixels))
    phi = keras.Model(images, L.Dense(1, dtype="float32")(network(L.Flatten()(images))))
    model = zoo.GAN(theta, phi, average=0.9)
    model.compile(OPTIMIZERS[network]())
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "m.keras")
    loaded = zoo.load(tmp_path / "m.keras")
    for weight, saved in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(weight, saved)
    for slot, saved in zip(loaded.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(slot, saved)
    np.testing.assert_array_equal(loaded.sample(4, seed=1), model.sample(4, seed=1))


@keras.saving.register_keras_serializable("stranger")
class Doubled(keras.layers.Layer):
    """A layer that no list has."""

    def call(self, inputs):
        return 2 * inputs


def test_layers_of_ones_own_load_when_trusted(tmp_path):
    latents, images = keras.Input((3,)), keras.Input((4, 4, 1))
    pixels = L.Dense(16, "sigmoid")(Doubled()(latents))
    theta = keras.Model([latents], L.Reshape((4, 4, 1))(pixels))
    phi = keras.Model(images, L.Dense(1)(L.Flatten()(images)))
    model = zoo.GAN(theta, phi)
    model.save(tmp_path / "m.keras")
    with pytest.raises(
        ValueError, match=r"only what .*vocabulary lists.*stranger>Doubled.*trusted=True"
    ):
        zoo.load(tmp_path / "m.keras")
    loaded = zoo.load(tmp_path / "m.keras", trusted=True)
    np.testing.assert_array_equal(loaded.sample(4), model.sample(4))


# Names and cards.


@pytest.mark.parametrize(
    "name",
    [
        "hf://../..",
        "hf://a",
        "hf://a/b/c",
        "hf:///etc/passwd",
        "hf://a/..",
        "hf://",
        "a\0b",
        "a\nb",
        "\x1b[2J",
    ],
)
def test_names_of_no_place_are_refused(name):
    with pytest.raises(ValueError, match="Received: "):
        zoo.load(name)


@pytest.mark.parametrize("name", ["../secret", "..", "", "."])
def test_a_name_does_not_leave_the_root(presets, monkeypatch, name):
    (presets.parent / "secret").mkdir(exist_ok=True)
    (presets.parent / "secret" / "card.json").write_text("{}")
    monkeypatch.setattr(load, "_roots", lambda: [presets])
    with pytest.raises(FileNotFoundError, match="A model is a preset's name"):
        zoo.load(name)


def test_a_link_out_of_a_presets_folder_is_refused(presets, tmp_path):
    shutil.copytree(presets / "cgan_small", tmp_path / "preset")
    (tmp_path / "preset" / "model.keras").rename(tmp_path / "model.keras")
    (tmp_path / "preset" / "model.keras").symlink_to(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="a link out of it"):
        zoo.load(tmp_path / "preset")


CARDS = {
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "number": b"3",
    "object": b"{}",
    "brackets": b"[" * 100_000,
    "large": b" " * (2 << 20),
    "latin": b'{"name": "\xe9"}',
}
FIELDS = {
    "description": None,
    "endpoints": "sample",
    "name": ["a"],
    "recipe": {"model": "GAN", "data": None},
    "sha256": {"model.keras": 3},
    "model": {},
    "evaluation": {"metrics": {"fid": {"value": "low"}}},
    "epochs": True,
}


@pytest.mark.parametrize("text", CARDS.values(), ids=CARDS)
def test_a_card_that_is_none_is_refused(presets, tmp_path, text):
    folder = shutil.copytree(presets / "cgan_small", tmp_path / "preset")
    (folder / "card.json").write_bytes(text)
    for read in (zoo.load, zoo.card):
        with pytest.raises(ValueError, match=r"Received: .*card\.json"):
            read(folder)


@pytest.mark.parametrize("field", FIELDS)
def test_a_card_of_other_types_is_refused(presets, tmp_path, field):
    folder = shutil.copytree(presets / "cgan_small", tmp_path / "preset")
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, field: FIELDS[field]}))
    with pytest.raises(ValueError, match=r"Received: .* in .*card\.json"):
        zoo.card(folder)
    del card["sha256"]
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match=r"Received: no 'sha256' in .*card\.json"):
        zoo.load(folder)


# Arrays of an evaluator.


def array(text: str, content: bytes = b"") -> bytes:
    """An array's file with this header."""
    header = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


ARRAYS = {
    "huge": array("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"),
    "objects": array("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"cos\nsystem\n."),
    "strings": array("{'descr': '<U1000000000', 'fortran_order': False, 'shape': (1,)}"),
    "code": array("__import__('os').system('true')"),
    "cut": b"\x93NUMPY\x01",
    "text": b"features",
}


@pytest.mark.parametrize("content", ARRAYS.values(), ids=ARRAYS)
def test_arrays_beyond_numbers_and_limits_are_refused(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(hostile_archives.packed({"x.npy": content}))
    with pytest.raises(ValueError, match=r"Received: .*a\.npz"):
        untrusted.read_arrays(path, ["x"])


def test_arrays_are_those_asked_for(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(3), y=np.float16([[0.5]]))
    read = untrusted.read_arrays(tmp_path / "a.npz", ["y", "x"])
    np.testing.assert_array_equal(read["x"], [0, 1, 2])
    np.testing.assert_array_equal(read["y"], np.float16([[0.5]]))
    with pytest.raises(ValueError, match=r"arrays other than x\.npy"):
        untrusted.read_arrays(tmp_path / "a.npz", ["x"])


def test_an_error_of_keras_is_one_line():
    line = r"Received: m\.keras, OSError: Bad CRC-32 List of: \[x\]$"
    with pytest.raises(ValueError, match=line), untrusted.rebuilding(Path("m.keras")):
        raise OSError("Bad CRC-32\n\nList of:\n  [x]")
