"""MNIST-M (Ganin et al. 2016) as a TFDS data set."""

import tensorflow_datasets as tfds

URL = (  # mnist_m.tar.gz, linked from the authors' page
    "https://drive.google.com/uc?export=download"
    "&id=0B_tExHiYS-0veklUZHFYT19KYjg&resourcekey=0-DE7ivVVSn8PwP9fdHvSUfA"
)


class MnistM(tfds.core.GeneratorBasedBuilder):
    """59,001 + 9,001 images 32x32x3: MNIST's digits blended with patches of photographs."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "The authors' archive."}

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="MNIST's digits blended with patches of the photographs of BSDS500.",
            homepage="http://yaroslav.ganin.net/",
            citation="""@article{ganin2016domain,
  title={Domain-Adversarial Training of Neural Networks},
  author={Ganin, Yaroslav and Ustinova, Evgeniya and Ajakan, Hana and Germain, Pascal and
          Larochelle, Hugo and Laviolette, Fran{\\c{c}}ois and Marchand, Mario and
          Lempitsky, Victor},
  journal={Journal of Machine Learning Research},
  volume={17}, number={59}, pages={1--35}, year={2016}
}""",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(32, 32, 3)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        archive = tfds.download.Resource(
            url=URL,  # which does not end in .tar.gz
            extract_method=tfds.download.ExtractMethod.TAR_GZ,
        )
        root = dl_manager.download_and_extract(archive) / "mnist_m"
        return {split: self._generate_examples(root, split) for split in ("train", "test")}

    def _generate_examples(self, root, split):
        """mnist_m_<split>_labels.txt has a line "<file name> <digit>" for each picture."""
        pictures = root / f"mnist_m_{split}"
        for line in (root / f"mnist_m_{split}_labels.txt").read_text().splitlines():
            name, digit = line.split()
            yield name, {"image": pictures / name, "label": int(digit)}
