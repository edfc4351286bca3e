"""Fetch presets once, file by file, each verified by the checksum in the wheel's card.

A fetch downloads `model.keras` and the pictures.  It downloads the SavedModel only of evaluators, which
score without Keras; other SavedModels are exported from the weights in seconds when needed, so that no
weight is downloaded twice.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tfgen import home
from zoo.preset import cards

if TYPE_CHECKING:
    import requests

SOURCE = "hf://tfgen-zoo/presets"  # unless TFGEN_PRESETS names another
LARGEST = 2 << 30  # largest number of bytes of a file whose card does not state the preset's size

_REPOSITORY = re.compile(r"hf://(\w[\w.-]*/\w[\w.-]*)", re.ASCII)
_FILE = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)


def preset(folder: Path) -> Path:
    """Fetch the preset of a card that is here without its weights.

    The preset appears whole or not at all.  An interrupted fetch resumes at the byte where it stopped; a
    second process waits for the first.

    Args:
        folder: Folder of the card.

    Returns:
        Folder of the preset in `TFGEN_HOME`.

    Raises:
        ValueError: A file differs from its checksum or is larger than its card states, or TFGEN_PRESETS is
            not an address.
        ConnectionError: A file cannot be downloaded.
        OSError: A file cannot be written.
    """
    card, target = cards.read(folder), home.presets() / folder.name
    with _writing(target), _alone(folder.name):
        if not _is_same(target, card):
            (target / "card.json").unlink(missing_ok=True)  # of another release
            for name in _files_to_fetch(card):
                _file(folder.name, name, card, target)
            target.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as aside:
                shutil.copy(folder / "card.json", aside)
                os.replace(f"{aside}/card.json", target / "card.json")  # last: it makes it whole
    return target


def address(name: str, file: str) -> str:
    """Return the URL of a preset's file at `TFGEN_PRESETS`, by default SOURCE.

    Raises:
        ValueError: `TFGEN_PRESETS` is neither a URL nor hf://owner/repository.
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


def _files_to_fetch(card: cards.Card) -> list[str]:
    """Return the files to fetch; those of the SavedModel, in folders, only for evaluators."""
    files = card.sha256
    for name in files:
        if not _FILE.fullmatch(name):
            raise ValueError(f"A preset's files lie in its folder. Received: {name[:200]!r}")
    return [name for name in files if "/" not in name or "reference.npz" in files]


def _is_same(target: Path, card: cards.Card) -> bool:
    """Whether the preset is on disk as in this release."""
    whole = (target / "card.json").is_file() and (target / "model.keras").is_file()
    return whole and cards.read(target).sha256 == card.sha256


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Add the folder of the preset to an error of the disk."""
    try:
        yield
    except ConnectionError:
        raise
    except OSError as error:
        raise OSError(
            error.errno, f"A preset must be written to {target} (TFGEN_HOME). {error.strerror}"
        ) from error


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Lock this preset against other processes; the lock ends with the process, however it ends."""
    import filelock

    folder = home.folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / f"{name}.lock"):
        yield


def _file(preset: str, name: str, card: cards.Card, target: Path) -> None:
    """Fetch one file unless it is on disk: written aside, verified, then moved."""
    import pooch
    import requests

    from zoo.preset import resume

    url, path, checksum = address(preset, name), target / name, card.sha256[name]
    part = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    fetch = resume.Resuming(part, card.bytes or LARGEST)
    pooch.get_logger().setLevel("ERROR")
    try:
        pooch.retrieve(url, f"sha256:{checksum}", path.name, path.parent, downloader=fetch)
    except requests.exceptions.RequestException as error:
        raise ConnectionError(
            f"The preset {preset!r} is fetched once, from {url}, which must be reachable "
            f"(TFGEN_PRESETS names another place). Received: {_reason(error)}"
        ) from error
    except resume.TooLargeError:
        raise
    except ValueError as error:
        raise ValueError(
            f"A fetched file must have the checksum of its card, sha256 {checksum[:80]}. "
            f"Received: another from {url}"
        ) from error


def _reason(error: "requests.exceptions.RequestException") -> str:
    """Return the server's status, or the kind of failure, without the layers of the client's message."""
    if error.response is None:
        return type(error).__name__
    return f"status {error.response.status_code}, {error.response.reason}"
