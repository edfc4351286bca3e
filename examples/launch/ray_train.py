"""Train a recipe on the workers of a Ray cluster: python examples/launch/ray_train.py iwgan_digits OUT.

It needs `pip install "tfgen-zoo[ray]"`.  OUT is a folder that all workers can write; after a failure, run
it again to continue from the last checkpoint.
"""

import sys

import ray.train
from ray.train.tensorflow import TensorflowTrainer

from zoo.preset.train import train


def worker(settings: dict) -> None:
    """Train in one worker's process, which Ray starts with TF_CONFIG set."""
    train(**settings, strategy="multiworker", resume=True, verbose=0)


def main(recipe: str, out: str, workers: int = 2, gpu: bool = False, **settings) -> None:
    """Train a recipe on a number of workers."""
    trainer = TensorflowTrainer(
        worker,
        train_loop_config={"recipe": recipe, "out": out, **settings},
        scaling_config=ray.train.ScalingConfig(num_workers=workers, use_gpu=gpu),
    )
    trainer.fit()


if __name__ == "__main__":
    main(*sys.argv[1:])
