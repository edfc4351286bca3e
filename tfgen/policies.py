"""Keras dtype policies in a model's configuration."""

from typing import Any

MIXED = ("mixed_bfloat16", "mixed_float16")


def in_float32(config: Any) -> Any:
    """Return a copy of a Keras configuration in which every mixed policy is float32.

    The weights of a mixed policy are float32 already: only the layers' arithmetic becomes another.

    Args:
        config: plain data, as `get_config` returns it.
    """
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy" and config["config"]["name"] in MIXED:
            return {**config, "config": {"name": "float32"}}
        return {key: in_float32(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(map(in_float32, config))
    return config
