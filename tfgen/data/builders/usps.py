"""USPS handwritten digits (Hull 1994) as a TFDS data set."""

import bz2
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from sklearn.datasets import load_svmlight_file

URLS = {
    "train": "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/usps.bz2",
    "test": "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/usps.t.bz2",
}


class Usps(tfds.core.GeneratorBasedBuilder):
    """7,291 + 2,007 images 16x16x1 of digits scanned from envelopes."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "The standard split; gray values [-1, 1] stored as 0..255."}

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Handwritten digits from envelopes, scanned by the U.S. Postal Service.",
            homepage="https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps",
            citation="""@article{hull1994database,
  title={A database for handwritten text recognition research},
  author={Hull, Jonathan J.},
  journal={IEEE Transactions on Pattern Analysis and Machine Intelligence},
  volume={16}, number={5}, pages={550--554}, year={1994}
}""",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(16, 16, 1)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        paths: Any = dl_manager.download(URLS)
        return {split: self._generate_examples(paths[split]) for split in URLS}

    def _generate_examples(self, path):
        """Lines "<digit + 1> 1:<gray> ... 256:<gray>"; a gray value of 0 may be left out."""
        with bz2.open(path) as file:
            grays, digits = load_svmlight_file(file, n_features=256, zero_based=False)
        images = np.rint((grays.toarray() + 1) * 127.5).astype(np.uint8).reshape(-1, 16, 16, 1)
        for i, (image, digit) in enumerate(zip(images, digits, strict=True)):
            yield i, {"image": image, "label": int(digit) - 1}
