"""Load presets by name, folder, file or Hub repository, without trust in their contents."""

import contextlib
import difflib
import hashlib
import json
import os
import re
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfgen import home, untrusted
from zoo import registry
from zoo.preset import cards, fetch, hub

if TYPE_CHECKING:
    import keras

_NAME = re.compile(r"\w[\w.-]*", re.ASCII)
_HUB = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


def presets() -> dict[str, str]:
    """Return the published presets, {name: one-line description}, without importing TensorFlow."""
    return {name: card.description for name, card in all_cards().items()}


def all_cards() -> dict[str, cards.Card]:
    """Return {name: card} of the published presets, sorted by name; nothing is fetched."""
    return {name: cards.read(folder) for name, folder in sorted(_folders().items())}


def load(name: str | Path, trusted: bool = False) -> "keras.Model":
    """Load a compiled model with its trained weights.

    `tfgen.untrusted` checks a file before Keras reads it, so that it can only hold weights of the zoo's
    classes; the project's own presets are checked like any other file.

    Args:
        name: A preset's name, a preset's folder, a `.keras` file, or "hf://owner/name" for a preset's
            folder on the Hugging Face Hub (needs the package `huggingface_hub`).  A named preset that
            is neither in `saved_models/` of a source tree nor in `TFGEN_HOME` is fetched once.
        trusted: Whether to skip these checks and load in Keras' safe mode only, for a file whose author you
            trust, for instance one with layers of your own.

    Returns:
        A `keras.Model` of a class in `zoo.MODELS`; no other class is imported, nothing is unpickled.

    Raises:
        FileNotFoundError: There is no such preset, folder or file; the message names the nearest preset.
        ValueError: The file is damaged, differs from its card's checksum, holds another class, or
            might do more than hold weights.
        ConnectionError: The preset must be fetched, and cannot be.

    Examples:
        >>> import zoo
        >>> model = zoo.load("iwgan_digits")
        >>> type(model) is zoo.GAN, model.importance_weighted
        (True, True)
        >>> images = model.sample(64, seed=0)
        >>> images.shape, images.dtype.name
        ((64, 8, 8, 1), 'float32')
    """
    path = locate(name)
    weights = _weights(path) if path.is_dir() else path
    config = _read_unchecked(weights) if trusted else untrusted.read_archive(weights)
    kind = config.get("class_name")
    if not isinstance(kind, str) or kind not in registry.MODELS:
        raise ValueError(
            f"Only the zoo's own classes are loaded: {', '.join(registry.MODELS)}. "
            f"Received: {str(kind)[:80]!r} in {weights}"
        )
    model = registry.model_class(kind)
    if not trusted:
        packages = {module.split(".")[0] for module in registry.MODELS.values()}
        untrusted.check_configuration(config, model, packages)
    rebuilt = _rebuild(weights, None if trusted else config)
    if path.is_dir():
        from tfgen.drawing import notebook

        notebook.introduce(rebuilt, cards.document(path))
    return rebuilt


def card(name: str | Path) -> dict[str, Any]:
    """Return the card of a preset or of a preset's folder as a dictionary; weights are not fetched for it.

    Raises:
        FileNotFoundError: There is no such preset, or it is a file without a card.
        ValueError: The card is incomplete.

    Examples:
        >>> import zoo
        >>> card = zoo.card("iwgan_digits")
        >>> card["model"], card["table_row"], card["image_shape"]
        ('GAN', 'IWGAN', [8, 8, 1])
    """
    path = _folder_of(str(name)) or locate(name)
    if not path.is_dir():
        raise FileNotFoundError(f"A model file alone has no card. Received: {str(path)!r}")
    return cards.document(path)


def locate(name: str | Path) -> Path:
    """Return the folder or `.keras` file of a name, see `load`.

    Raises:
        FileNotFoundError: There is no such preset, folder or file.
        ValueError: The name has unprintable characters, or the form of a repository is wrong.
    """
    text = str(name)
    if not text.isprintable():
        raise ValueError(f"A name must be printable. Received: {ascii(text)[:200]}")
    if text.startswith("hf://"):
        return _from_hub(text.removeprefix("hf://"))
    if (folder := _folder_of(text)) is not None:
        return folder if (folder / "model.keras").is_file() else fetch.preset(folder)
    path = Path(text)
    with contextlib.suppress(OSError):  # a name longer than a file's may be
        if (path / "card.json").is_file() or (path.suffix == ".keras" and path.is_file()):
            return path
    nearest = difflib.get_close_matches(text, _folders(), n=1)
    hint = f"; the nearest preset is {nearest[0]!r}" if nearest else ""
    raise FileNotFoundError(
        "A model is a preset's name, a folder with a card.json, a .keras file or 'hf://owner/name'. "
        f"Received: {text!r}{hint}"
    )


def own_root() -> Path:
    """Return the folder to publish presets into: TFGEN_HOME's if it is set, else the source tree's."""
    tree = Path(__file__).resolve().parents[2] / "saved_models"
    return tree if tree.is_dir() and "TFGEN_HOME" not in os.environ else home.presets()


def _roots() -> list[Path]:
    """Return the folders of presets: of a source tree, of the wheel, of the user."""
    package = Path(__file__).resolve().parents[1]
    folders = (package.parent / "saved_models", package / "saved_models", home.presets())
    return [root for root in folders if root.is_dir()]


def _folders() -> dict[str, Path]:
    """Return {name: folder} of the presets whose cards are on disk; the first root with a name counts.

    A wheel has the cards of all presets and the weights of a few.
    """
    found = [path.parent for root in reversed(_roots()) for path in root.glob("*/card.json")]
    return {folder.name: folder for folder in found}


def _folder_of(name: str) -> Path | None:
    """Return the folder of a preset's card, or None if no preset has this name."""
    return _folders().get(name) if _NAME.fullmatch(name) else None


def _weights(folder: Path) -> Path:
    """Return the file of weights in a preset's folder, after a check of link and checksum."""
    path, card = folder / "model.keras", cards.read(folder)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(
            f"A preset's folder holds its own files. Received: {path}, a link out of it"
        )
    expected, received = card.sha256["model.keras"], None
    if path.is_file():
        with open(path, "rb") as file:
            received = hashlib.file_digest(file, "sha256").hexdigest()
    if received != expected:
        raise ValueError(
            f"Weights must have the checksum of their card, sha256 {expected[:80]}. "
            f"Received: {received} for {path}"
        )
    return path


def _read_unchecked(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            return dict(json.loads(archive.read("config.json")))
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"A model file must be a whole .keras archive. Received: {path}, {error}"
        ) from error


def _rebuild(path: Path, config: dict[str, Any] | None) -> "keras.Model":
    """Rebuild the model of a file; if its configuration is given, check the weights against it first."""
    import keras

    if config is not None:
        untrusted.check_weights(path, config)
    with untrusted.rebuilding(path), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")  # no slots
        return keras.saving.load_model(path)


def _from_hub(repository: str) -> Path:
    if not _HUB.fullmatch(repository):
        raise ValueError(
            f"A repository of the Hub is 'hf://owner/name'. Received: 'hf://{repository[:200]}'"
        )
    return hub.repository(repository)
