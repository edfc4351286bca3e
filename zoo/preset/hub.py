"""Repositories of the Hugging Face Hub, through `huggingface_hub`; their files are not trusted."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from tfgen import home
from zoo.preset import cards

# File to fetch, none of them a program -> its largest number of bytes.
LIMITS = {
    "card.json": cards.LIMIT,
    "model.keras": 2 << 30,
    "README.md": 1 << 20,
    "samples.png": 16 << 20,
}
REQUIRED = ("card.json", "model.keras")


def repository(name: str) -> Path:
    """Fetch a preset's folder from the Hub: card, weights and pictures, but no program.

    Args:
        name: "owner/name".

    Returns:
        Folder of files, none of them a link.

    Raises:
        ImportError: The package huggingface_hub is missing.
        ConnectionError: The repository cannot be downloaded.
        ValueError: A file of a preset is missing or larger than allowed.
    """
    target = home.folder() / "hub" / name.replace("/", "--")
    with client(name, "have the repository") as hub:
        try:
            files = hub.HfApi(endpoint=endpoint()).get_paths_info(name, list(LIMITS))
        except hub.errors.HfHubHTTPError:
            raise
        except Exception:
            if (target / "model.keras").is_file():
                return target  # out of reach, and fetched before
            raise
    present = [file.path for file in files]
    if absent := [path for path in REQUIRED if path not in present]:
        raise ValueError(
            f"A repository of a preset must hold {' and '.join(REQUIRED)}. "
            f"Received: 'hf://{name}' without {' and '.join(absent)}"
        )
    for file in files:
        if file.size > LIMITS[file.path]:
            raise ValueError(
                f"{file.path} of a preset has at most {LIMITS[file.path]} bytes. "
                f"Received: {file.size} in 'hf://{name}'"
            )
    with client(name, "have the repository") as hub:
        hub.snapshot_download(
            name,
            local_dir=target,
            cache_dir=target.parent,
            allow_patterns=list(LIMITS),
            endpoint=endpoint(),
        )
    return target


def endpoint() -> str | None:
    """Return the address of the Hub in `HF_ENDPOINT`, or None for the default."""
    return os.environ.get("HF_ENDPOINT") or None


@contextlib.contextmanager
def client(name: str, rule: str) -> Iterator[ModuleType]:
    """Give the package `huggingface_hub`, with each of its errors as one sentence.

    Args:
        name: "owner/name" of a repository.
        rule: Condition on the Hub for the message, as in "have the repository".

    Raises:
        ImportError: The package is missing.
        ConnectionError: The Hub, its client or the network fails.
    """
    found = package()
    try:
        yield found
    except Exception as error:  # of the Hub's own, of its client's, of the network's
        words = " ".join(str(error).split())[:200]
        raise ConnectionError(
            f"The Hub must be reachable and {rule}. "
            f"Received: 'hf://{name}', {type(error).__name__}: {words}"
        ) from error


def package() -> ModuleType:
    """Return the package `huggingface_hub`.

    Raises:
        ImportError: The package is missing.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            "hf:// needs the package huggingface_hub: pip install 'tfgen-zoo[hub]'"
        ) from error
    return huggingface_hub
