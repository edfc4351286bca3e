"""Train a recipe on the workers of a Ray cluster: python examples/launch/ray_train.py iwgan_digits OUT.

Needs `pip install "tfgen-zoo[ray]"`.  OUT is a folder that all workers can write; run again after a
failure, it goes on from the last checkpoint.
"""

import sys

import ray.train
from ray.train.tensorflow import TensorflowTrainer

from zoo.preset.train import train


def worker(settings: dict) -> None:
    """Run by Ray in a process for each worker, with TF_CONFIG set."""
    train(**settings, strategy="multiworker", resume=True, verbose=0)


def main(recipe: str, out: str, workers: int = 2, gpu: bool = False, **settings) -> None:
    """A run on so many workers; `settings` are those of `zoo.preset.train.train`."""
    trainer = TensorflowTrainer(
        worker,
        train_loop_config={"recipe": recipe, "out": out, **settings},
        scaling_config=ray.train.ScalingConfig(num_workers=workers, use_gpu=gpu),
    )
    trainer.fit()


if __name__ == "__main__":
    main(*sys.argv[1:])
