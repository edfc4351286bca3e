"""The zoo: every model of the paper, with trained weights.

    model = zoo.load("iwgan_mnist")
    model.sample(64, seed=0)

TensorFlow is imported when a model is first asked for, not by `import zoo`.
"""

import difflib
import hashlib
import importlib
import json
import warnings
import zipfile
from pathlib import Path

# Class -> its file.  A new member of the zoo is such a file, and a line here; one outside is taken up
# by `zoo.MODELS["Name"] = "package.module"`.
MODELS = {
    "AAE": "zoo.models.aae",
    "ADA": "zoo.models.ada",
    "CycleGAN": "zoo.models.cyclegan",
    "GAN": "zoo.models.gan",
    "GANVAE": "zoo.models.vaegan",
    "Helmholtz": "zoo.models.helmholtz",
    "InfoGAN": "zoo.models.infogan",
    "PM": "zoo.models.pm",
    "ResNet": "zoo.models.resnet",
    "SVAE": "zoo.models.svae",
    "VAE": "zoo.models.vae",
    "VAEGAN": "zoo.models.vaegan",
}

STEPS_PER_EXECUTION = 16  # between returns to Python: a tenth of the time of the smallest models

__all__ = ["MODELS", "RECIPES", "build", "card", "load", "locate", "presets", *MODELS]


def __getattr__(name):
    if name == "RECIPES":
        return _recipes()
    if name in MODELS:
        return getattr(importlib.import_module(MODELS[name]), name)
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__():
    return [*globals(), *__all__]


def presets():
    """Published presets, {name: one-line description}, without importing TensorFlow."""
    cards = sorted(path for root in _roots() for path in root.glob("*/card.json"))
    return {path.parent.name: json.loads(path.read_text())["description"] for path in cards}


def load(name):
    """A compiled model with its trained weights.

    Args:
        name: a preset's name, a preset's folder, a `.keras` file, or "hf://owner/name" for a preset's
            folder on the Hugging Face Hub (needs the extra `hub`).

    Returns:
        A `keras.Model` of a class listed in `MODELS`; no other class is imported, nothing is unpickled.

    Raises:
        FileNotFoundError: there is no such preset, folder or file; the nearest preset is named.
        ValueError: the file is damaged, differs from its card's checksum, or holds another class.
    """
    path = locate(name)
    if path.is_dir():
        weights = path / "model.keras"
        _verify(weights, json.loads((path / "card.json").read_text())["sha256"]["model.keras"])
    else:
        weights = path
    kind = _class_of(weights)
    if kind not in MODELS:
        raise ValueError(
            f"Only the zoo's own classes are loaded: {', '.join(MODELS)}. "
            f"Received: {kind!r} in {weights}"
        )
    importlib.import_module(MODELS[kind])
    import keras

    try:
        with warnings.catch_warnings():  # presets come without slots
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            return keras.saving.load_model(weights)
    except (OSError, KeyError, EOFError) as error:
        raise ValueError(f"A model file must be whole. Received: {weights}, {error}") from error


def card(name):
    """The card of a preset or of a preset's folder, as a dictionary."""
    path = locate(name)
    if not path.is_dir():
        raise FileNotFoundError(f"A bare model file has no card. Received: {str(path)!r}")
    return json.loads((path / "card.json").read_text())


def locate(name):
    """The folder or `.keras` file that `name` stands for; see `load`."""
    if str(name).startswith("hf://"):
        return _from_hub(str(name).removeprefix("hf://"))
    for path in (*(root / str(name) for root in _roots()), Path(name)):
        if (path / "card.json").is_file() or (path.suffix == ".keras" and path.is_file()):
            return path
    nearest = difflib.get_close_matches(str(name), presets(), n=1)
    hint = f"; the nearest preset is {nearest[0]!r}" if nearest else ""
    raise FileNotFoundError(
        "A model is a preset's name, a folder with a card.json, a .keras file or 'hf://owner/name'. "
        f"Received: {str(name)!r}{hint}"
    )


def build(recipe, info, seed=0, batches=None):
    """A fresh, compiled model from a recipe.

    Args:
        recipe: an entry of `RECIPES`, or a dictionary like it, see `zoo.recipes`.
        info: `tfgen.data.info` of the data set.
        seed: of the sampling noise; Keras' global seed fixes the starting weights.
        batches: in an epoch, for a decaying learning rate; by default those of the whole split "train".
    """
    import tensorflow as tf

    training = recipe["training"]
    steps = None
    if training["decay"] is not None:
        batches = batches or -(-info.splits["train"] // training["batch_size"])
        steps = batches * training["epochs"]
    kind = __getattr__(recipe["model"])
    model = kind.build_networks(info.shape, info.num_classes, seed=seed, **recipe["build"])
    optimizer = _optimizer(training, steps)
    # Keras 3.15 fails to loop over several steps on replicas.
    at_once = 1 if tf.distribute.has_strategy() else STEPS_PER_EXECUTION
    model.compile(optimizer, steps_per_execution=at_once)
    return model


def _optimizer(training, steps):
    """Return the optimizer that a recipe's `training` names, for a run of so many steps.

    Raises:
        ValueError: an unknown optimizer or decay.
    """
    import keras

    from tfgen.optimizers import Adam
    from tfgen.schedules import learning_rate

    rate = learning_rate(training["learning_rate"], training["decay"], steps)
    name = training.get("optimizer", "adam")
    if name == "adam":
        return Adam(rate, beta_1=training["beta_1"])
    if name != "sgd":
        raise ValueError(f"optimizer must be 'adam' or 'sgd'. Received: optimizer={name!r}")
    return keras.optimizers.SGD(
        rate,
        momentum=training["momentum"],
        nesterov=True,
        weight_decay=training["weight_decay"],
    )


def _recipes():
    """{name: recipe} of the zoo's files and of every member outside the zoo.

    Raises:
        ValueError: two files have a recipe of one name.
    """
    from zoo.recipes import FILES

    outside = [name for name in MODELS.values() if not name.startswith("zoo.models.")]
    recipes = {}
    for file in (*FILES, *map(importlib.import_module, dict.fromkeys(outside))):
        if shared := sorted(recipes.keys() & file.RECIPES.keys()):
            raise ValueError(
                f"Names of recipes must be unique. Received: {shared} again in {file.__name__}"
            )
        recipes |= file.RECIPES
    return recipes


def _roots():
    here = Path(__file__).resolve().parent
    return [root for root in (here.parent / "saved_models", here / "saved_models") if root.is_dir()]


def _verify(path, expected):
    received = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    if received != expected:
        raise ValueError(
            f"Weights must have the checksum of their card, sha256 {expected}. "
            f"Received: {received} for {path}"
        )


def _class_of(path):
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError) as error:
        raise ValueError(
            f"A model file must be a whole .keras archive. Received: {path}"
        ) from error
    return config["class_name"] if config.get("registered_name", "").startswith("zoo>") else None


def _from_hub(repository):
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError("hf:// needs the extra `hub`: pip install 'tfgen[hub]'") from error
    return Path(huggingface_hub.snapshot_download(repository))
