"""Packages tfgen and zoo, and the pretrained presets of saved_models/ as data of the latter."""

import ast
import json
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def version():
    """`__version__` of tfgen, read from its syntax tree, without importing tfgen."""
    tree = ast.parse((ROOT / "tfgen" / "version.py").read_text(encoding="utf-8"))
    [assignment] = (node for node in tree.body if isinstance(node, ast.Assign))
    return ast.literal_eval(assignment.value)


def shipped():
    """What of saved_models/ the wheel holds: every card, and the presets of the data set `digits`.

    Those come without their SavedModels, which `tfgen export` writes; the evaluator's is needed to score.
    """
    patterns = ["*/card.json"]
    for path in sorted((ROOT / "saved_models").glob("*/card.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        if card["data"]["name"] == "digits":
            patterns += [f"{path.parent.name}/*"]
    return [*patterns, "resnet_digits/1/**"]


packages = find_packages(include=["tfgen", "tfgen.*", "zoo", "zoo.*"])
if (ROOT / "saved_models").is_dir():
    packages.append("zoo.saved_models")

setup(
    name="tfgen-zoo",  # `tfgen` on the package index is another project
    version=version(),
    description="On Unifying Deep Generative Models in Keras: a zoo of GANs, VAEs and their kin",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The tfgen authors",
    license_expression="Apache-2.0",
    packages=packages,
    package_dir={"zoo.saved_models": "saved_models"},
    package_data={
        "zoo.saved_models": shipped(),
        "tfgen.serving": ["page/*"],
        "tfgen": ["py.typed"],
        "zoo": ["py.typed"],
    },
    python_requires=">=3.11,<3.14",
    install_requires=[
        "tensorflow>=2.21,<2.22",
        "keras>=3.15,<3.16",
        "tensorflow-probability>=0.25,<0.26",
        "tf_keras>=2.21,<2.22",  # TensorFlow Probability's Keras
        "setuptools>=77,<90",  # TensorFlow Probability imports distutils, gone from Python 3.12
        "tensorflow-datasets>=4.9.10,<4.10",
        "importlib_resources>=6.4,<8",  # TensorFlow Datasets prepares data with it, unstated
        "beautifulsoup4>=4.12,<5",  # and, for data on Google Drive, reads its pages with it
        "tensorboard>=2.21,<2.22",  # keras.callbacks.TensorBoard; TensorFlow 2.21 leaves it out
        "numpy>=2,<3",
        "scipy>=1.14,<2",
        "scikit-learn>=1.6,<2",
        "threadpoolctl>=3.1,<4",
        "pillow>=11,<14",
        "platformdirs>=4.3,<5",
        "click>=8.1,<9",
        "pooch>=1.8,<2",  # fetches presets
        "requests>=2.32,<3",  # by byte ranges
        "filelock>=3.16,<5",  # in one process at a time
        "rich>=13.9,<16",
    ],
    extras_require={
        "plots": ["matplotlib>=3.10,<4"],
        "hub": ["huggingface_hub>=2.4,<3"],
        "serve": [
            "starlette>=1,<2",
            "uvicorn>=0.40,<1",
            "httptools>=0.6,<1",
            "uvloop>=0.21,<1; sys_platform != 'win32'",
            "orjson>=3.10,<4",
            "prometheus_client>=0.21,<1",
            "tensorflow-serving-api>=2.21,<2.22",
            "grpcio-health-checking>=1.70,<2",
        ],
        "ray": ["ray[serve,train]>=2.50,<3"],
        "onnx": ["tf2onnx>=1.17,<2"],
        "docs": [
            "sphinx>=9,<10",
            "pydata-sphinx-theme>=0.17,<1",
            "myst-parser>=5,<6",
            "sphinx-gallery>=0.20,<1",
            "sphinx-design>=0.7,<1",
            "sphinx-copybutton>=0.5.2,<1",
            "latex2mathml>=3.78,<4",
            "matplotlib>=3.10,<4",
        ],
        "test": [
            "pytest>=9,<10",
            "pytest-xdist>=3.8,<4",
            "httpx>=0.28,<1",
            "selenium>=4.30,<5",
            "onnxruntime>=1.24,<2",
            "huggingface_hub>=2.4,<3",
            "kubernetes-validate>=1.33,<2",  # its API's schema
            "PyYAML>=6,<7",
        ],
        "dev": [
            "ruff>=0.17,<0.18",
            "build>=1.3,<2",
            "basedpyright>=1.40,<2",
            "codespell>=2.4,<3",
        ],
        "bench": ["torch>=2.6,<3", "pythae>=0.1.2,<0.2"],
    },
    entry_points={
        "console_scripts": ["tfgen = zoo.cli:main"],
        "tfgen.functions": ["publish = zoo.preset.trained:publish"],  # tfgen imports no zoo
    },
)
