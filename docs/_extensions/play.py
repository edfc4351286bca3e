"""Files of the page "Play": decoders as ONNX, and the runtime that npm installs in docs/play."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

NAMES = ("cgan_mnist", "infogan_mnist", "vae_mnist")
RUNTIME = Path(__file__).resolve().parents[1] / "play" / "node_modules" / "onnxruntime-web" / "dist"
FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")


def assemble(names: Iterable[str], folder: Path) -> None:
    """Write the files that the page fetches: the runtime, `models.json` and a decoder for each preset.

    Args:
        names: Presets with a decoder.
        folder: Folder to write.

    Raises:
        FileNotFoundError: The runtime is missing; `make docs` installs it.
    """
    import zoo
    from tfgen import interchange

    if not RUNTIME.is_dir():
        raise FileNotFoundError(
            f"The runtime is installed by `npm ci` in docs/play. Received: no {RUNTIME}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        shutil.copy(RUNTIME / file, folder / file)
    facts = {}
    for name in names:
        model = zoo.load(name)
        interchange.onnx(model, folder / f"{name}.onnx")
        facts[name] = {
            "shape": model.image_shape,
            "latent_dim": model.latent_dim,
            "num_classes": model.num_classes if model.conditional else 0,
            "num_categories": model.num_categories,
            "num_continuous": model.num_continuous,
        }
    (folder / "models.json").write_text(json.dumps(facts), encoding="utf-8")


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the files beside the pages."""
    if error is None and app.builder.format == "html":
        assemble(NAMES, Path(app.outdir) / "play")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Write the files after the build."""
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
