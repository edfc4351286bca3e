"""`tfgen push`: upload a preset, or a finished run, to the Hugging Face Hub."""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfgen.quiet import quietly
from zoo.preset import cards, hub, load

_ADDRESS = re.compile(r"hf://(\w[\w.-]*/\w[\w.-]*)((?:/\w[\w.-]*)*)", re.ASCII)


def push(
    source: str | Path,
    address: str,
    *,
    license: str | None = None,
    private: bool = False,
    **publishing: Any,
) -> str:
    """Upload a preset's files and its card in the Hub's form, in one commit.

    The repository is created if it does not exist.

    Args:
        source: Name or folder of a preset, or folder of a finished run, which is published first.
        address: "hf://owner/name", or "hf://owner/name/folder" for a folder of the repository;
            `TFGEN_PRESETS` may name a repository with a folder per preset.
        license: License of the weights by the Hub's name, as in "apache-2.0", or None.
        private: Whether only the owner sees a new repository.
        **publishing: `samples` and `evaluator` of `zoo.preset.publish.publish`, for a run.

    Returns:
        URL of the files.

    Raises:
        FileNotFoundError: There is no such preset or run.
        ValueError: The address has another form, or a file differs from its card's checksum.
        ImportError: The package huggingface_hub is missing.
        ConnectionError: The Hub rejects the upload.
    """
    if not (found := _ADDRESS.fullmatch(address)):
        raise ValueError(
            f"A repository of the Hub is 'hf://owner/name[/folder]'. Received: {address[:200]!r}"
        )
    repository, inner = found[1], found[2].removeprefix("/")
    with tempfile.TemporaryDirectory() as aside:
        folder = _preset_folder(source, inner or repository, Path(aside), publishing)
        card = cards.read(folder)
        with quietly():
            from zoo.preset.hub_card import hub_card
        files = dict(_verified_files(folder, card))
        files["README.md"] = hub_card(card, None if inner else address, license).encode()
        prefix = f"{inner}/" if inner else ""
        with hub.client(repository, "let you write (`hf auth login`, or HF_TOKEN)") as client:
            api = client.HfApi(endpoint=hub.endpoint())
            api.create_repo(repository, private=private, exist_ok=True)
            api.create_commit(
                repository,
                [client.CommitOperationAdd(prefix + name, file) for name, file in files.items()],
                commit_message=f"{card.name}, by tfgen push",
            )
        return f"{api.endpoint}/{repository}" + (f"/tree/main/{inner}" if inner else "")


def _preset_folder(source: str | Path, name: str, aside: Path, publishing: dict[str, Any]) -> Path:
    """Return the folder of a preset; a run is published in the folder `aside` first."""
    run = Path(source)
    if not (run / "run.json").is_file():
        path = load.locate(source)
        if not path.is_dir():
            raise ValueError(
                f"Only a preset or a run can be pushed. Received: {str(source)!r}, a model file"
            )
        return path
    with quietly():
        from zoo.preset.publish import publish
    words = re.findall("[a-z0-9]+", name.split("/")[-1].lower())
    return publish(run, re.sub("^(?=[0-9])", "p", "_".join(words)), aside, **publishing)


def _verified_files(folder: Path, card: cards.Card) -> Iterator[tuple[str, Any]]:
    """Return the files of a preset, verified by the checksums of its card, and the card."""
    for name, checksum in card.sha256.items():
        if not (folder / name).is_file():
            continue  # a wheel's preset has no SavedModel
        with open(folder / name, "rb") as file:
            received = hashlib.file_digest(file, "sha256").hexdigest()
        if received != checksum:
            raise ValueError(
                f"Files must have the checksums of their card, sha256 {checksum[:80]}. "
                f"Received: {received} for {folder / name}"
            )
        yield name, folder / name
    yield "card.json", folder / "card.json"
