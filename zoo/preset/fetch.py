"""Presets from afar: fetched once, file by file, each held against the checksum in the wheel's card."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from tfgen import home
from zoo.preset import cards

SOURCE = "hf://tfgen-zoo/presets"  # unless TFGEN_PRESETS names another

_TIMEOUT = 30  # seconds without an answer or a further byte
_REPOSITORY = re.compile(r"hf://(\w[\w.-]*/\w[\w.-]*)", re.ASCII)
_FILE = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
_FROM_HUB = ("card.json", "model.keras", "README.md", "samples.png")


def preset(folder: Path) -> Path:
    """Fetch the preset of a card that came without its weights.

    The preset appears whole or not at all.  A fetch cut short is taken up again at the file where it was
    cut; two processes may fetch one preset at a time.

    Args:
        folder: of the card.

    Returns:
        The preset's folder below `TFGEN_HOME`.

    Raises:
        ValueError: a file differs from its checksum, or TFGEN_PRESETS is no address.
        ConnectionError: a file cannot be had.
        OSError: a file cannot be written.
    """
    card, target = cards.read(folder), home.presets() / folder.name
    if not _is_same(target, card):
        (target / "card.json").unlink(missing_ok=True)  # of another release
        for name, checksum in card.sha256.items():
            _file(folder.name, name, checksum, target)
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as aside:
            shutil.copy(folder / "card.json", aside)
            os.replace(
                f"{aside}/card.json", target / "card.json"
            )  # last: it makes the preset whole
    return target


def repository(name: str) -> Path:
    """Fetch a preset's folder from the Hugging Face Hub: its card, weights and pictures, no program.

    Args:
        name: "owner/name".

    Returns:
        A folder of files, none of them a link.

    Raises:
        ImportError: the package huggingface_hub is missing.
        ConnectionError: the repository cannot be had.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError("hf:// needs the package huggingface_hub") from error
    target = home.folder() / "hub" / name.replace("/", "--")
    try:
        huggingface_hub.snapshot_download(name, local_dir=target, allow_patterns=list(_FROM_HUB))
    except Exception as error:  # of the Hub's own, of its client's, of the network's
        raise ConnectionError(
            f"The Hub must be within reach and have the repository. Received: 'hf://{name}', "
            f"{type(error).__name__}: {str(error)[:200]}"
        ) from error
    return target


def address(name: str, file: str) -> str:
    """Return the URL of a preset's file at the place that `TFGEN_PRESETS` names, SOURCE by default.

    Raises:
        ValueError: it names neither a URL nor hf://owner/repository.
    """
    source = os.environ.get("TFGEN_PRESETS") or SOURCE
    if found := _REPOSITORY.fullmatch(source):
        hub = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
        return f"{hub}/{found[1]}/resolve/main/{name}/{file}"
    if not source.startswith(("https://", "http://")):
        raise ValueError(
            "TFGEN_PRESETS must be a URL or hf://owner/repository. "
            f"Received: TFGEN_PRESETS={source[:200]!r}"
        )
    return f"{source.rstrip('/')}/{name}/{file}"


def _is_same(target: Path, card: cards.Card) -> bool:
    """Whether the preset is there as this release has it."""
    whole = (target / "card.json").is_file() and (target / "model.keras").is_file()
    return whole and cards.read(target).sha256 == card.sha256


def _file(preset: str, name: str, checksum: str, target: Path) -> None:
    """One file, unless it is there: written aside, verified, then moved."""
    import pooch
    import requests

    if not _FILE.fullmatch(name):
        raise ValueError(f"A preset's files lie in its folder. Received: {name[:200]!r}")
    url, path = address(preset, name), target / name
    fetch = pooch.HTTPDownloader(progressbar=True, chunk_size=1 << 16, timeout=_TIMEOUT)
    pooch.get_logger().setLevel("ERROR")
    try:
        pooch.retrieve(url, f"sha256:{checksum}", path.name, path.parent, downloader=fetch)
    except requests.exceptions.RequestException as error:
        raise ConnectionError(
            f"The preset {preset!r} is fetched once, from {url}, which must be within reach "
            f"(TFGEN_PRESETS names another place). Received: {type(error).__name__}: "
            f"{str(error)[:200]}"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"A fetched file must have the checksum of its card, sha256 {checksum[:80]}. "
            f"Received: another from {url}"
        ) from error
    except OSError as error:
        raise OSError(
            error.errno, f"A preset must be written to {target} (TFGEN_HOME). {error.strerror}"
        ) from error
