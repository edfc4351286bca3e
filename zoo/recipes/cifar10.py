"""Recipes of CIFAR-10, 32x32 photographs of ten classes."""

# fmt: off
RECIPES = {
    "resnet_cifar10": {
        "model": "ResNet",
        "description": "Residual classifier, the evaluator of scores on CIFAR-10",
        "flagship": True,
        "data": {"name": "cifar10", "shift": 2, "flip": "alternating"},
        "build": {"widths": [48, 128, 256], "label_smoothing": 0.2},
        "training": {"epochs": 18, "batch_size": 256, "optimizer": "sgd", "learning_rate": 0.3, "momentum": 0.9, "weight_decay": 5e-3, "decay": "triangular"},
    },
}
