"""Presets by name, folder, file or Hub repository; what they hold is not trusted."""

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
    """Published presets, {name: one-line description}, without importing TensorFlow."""
    return {name: card.description for name, card in all_cards().items()}


def all_cards() -> dict[str, cards.Card]:
    """{name: card} of the published presets, by name; nothing is fetched."""
    return {name: cards.read(folder) for name, folder in sorted(_folders().items())}


def load(name: str | Path, trusted: bool = False) -> "keras.Model":
    """A compiled model with its trained weights.

    A file is held against `tfgen.untrusted` before Keras sees it, so that it can do no more than hold
    weights of the zoo's classes; that goes for the project's own presets as for any other.

    Args:
        name: A preset's name, a preset's folder, a `.keras` file, or "hf://owner/name" for a preset's
            folder on the Hugging Face Hub (needs the package `huggingface_hub`).  A named preset that
            is neither in `saved_models/` of a source tree nor in `TFGEN_HOME` is fetched once.
        trusted: Leave that to Keras' own safe mode, for files whose author you trust: networks with
            layers of your own, for instance.

    Returns:
        A `keras.Model` of a class listed in `zoo.MODELS`; no other class is imported, nothing is
        unpickled.

    Raises:
        FileNotFoundError: There is no such preset, folder or file; the nearest preset is named.
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
    """The card of a preset or of a preset's folder, as a dictionary.

    Raises:
        FileNotFoundError: There is no such preset, or it is a bare file.
        ValueError: The card is not whole.
    """
    path = locate(name)
    if not path.is_dir():
        raise FileNotFoundError(f"A bare model file has no card. Received: {str(path)!r}")
    return cards.document(path)


def locate(name: str | Path) -> Path:
    """The folder or `.keras` file that `name` stands for; see `load`.

    Raises:
        FileNotFoundError: There is none.
        ValueError: The name has unprintable characters, or is no repository's.
    """
    text = str(name)
    if not text.isprintable():
        raise ValueError(f"A name has printable characters only. Received: {ascii(text)[:200]}")
    if text.startswith("hf://"):
        return _from_hub(text.removeprefix("hf://"))
    if _NAME.fullmatch(text) and text in (folders := _folders()):
        folder = folders[text]
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
    """The folder that presets are published into: TFGEN_HOME's if it is set, else a source tree's."""
    tree = Path(__file__).resolve().parents[2] / "saved_models"
    return tree if tree.is_dir() and "TFGEN_HOME" not in os.environ else home.presets()


def _roots() -> list[Path]:
    """Folders of presets: of a source tree, of the wheel, of the user."""
    package = Path(__file__).resolve().parents[1]
    folders = (package.parent / "saved_models", package / "saved_models", home.presets())
    return [root for root in folders if root.is_dir()]


def _folders() -> dict[str, Path]:
    """{name: folder} of the presets whose cards are here; the first root that has a name gives it.

    A wheel has the cards of all presets and the weights of a few.
    """
    found = [path.parent for root in reversed(_roots()) for path in root.glob("*/card.json")]
    return {folder.name: folder for folder in found}


def _weights(folder: Path) -> Path:
    """The weights of a preset's folder, which has them itself and as its card says."""
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
    """The model that Keras makes of a file; of a configuration, checked against its weights first."""
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
