"""Configurations of TensorFlow Serving, Docker Compose, Kubernetes and KServe for served models."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tfgen.serving.limits import Batching
from tfgen.serving.versions import Policy, Source

IMAGE = "tensorflow/serving:2.19.0"  # any from a card's `min_runtime` on
MOUNT = "/models"
CONFIG, PARAMETERS = "models.config", "batching.config"
PORTS = {"grpc": 8500, "rest": 8501}

ARGUMENTS = [
    f"--model_config_file={MOUNT}/{CONFIG}",
    "--enable_batching",  # then signatures with scalar inputs, as `sample`, are refused there
    f"--batching_parameters_file={MOUNT}/{PARAMETERS}",
    "--allow_version_labels_for_unavailable_models",  # as all are when it starts
]


def write(sources: Iterable[Source], folder: Path, batching: Batching) -> list[Path]:
    """Write the configurations that serve the models elsewhere, and return the files.

    Args:
        sources: Models; each a folder of numbered versions, as TensorFlow Serving's layout needs.
        folder: Folder to write into, made if needed.
        batching: Parameters of the batch scheduler, which TensorFlow Serving shares.

    Raises:
        ValueError: A source is a version's own folder.
        OSError: A file cannot be written.
    """
    sources = list(sources)
    for source in sources:
        if (source.path / "saved_model.pb").is_file():
            raise ValueError(
                "TensorFlow Serving reads folders of numbered versions. "
                f"Received: {source.name}={source.path}"
            )
    contents = {
        CONFIG: text_format.MessageToString(models(sources)),
        PARAMETERS: parameters(batching),
        "compose.yaml": _yaml(compose(sources)),
        "kubernetes.yaml": "---\n".join(map(_yaml, kubernetes(sources, batching))),
        "kserve.yaml": "---\n".join(_yaml(inference_service(source)) for source in sources),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in contents]


def models(sources: Iterable[Source]) -> model_server_config_pb2.ModelServerConfig:
    """Return `--model_config_file` of TensorFlow Serving."""
    message = model_server_config_pb2.ModelServerConfig()
    for source in sources:
        entry = message.model_config_list.config.add(
            name=source.name, base_path=f"{MOUNT}/{source.name}", model_platform="tensorflow"
        )
        _choose(entry.model_version_policy, source.policy)
        for label, number in source.labels:
            entry.version_labels[label] = number
    return message


def _choose(message: Any, policy: Policy) -> None:
    if policy.numbers:
        message.specific.versions.extend(sorted(policy.numbers))
    elif policy.latest is None:
        message.all.SetInParent()
    else:
        message.latest.num_versions = policy.latest


def parameters(batching: Batching) -> str:
    """Return `--batching_parameters_file` of TensorFlow Serving, a BatchingParameters in text."""
    sizes = batching.sizes()
    values = {
        "max_batch_size": sizes[-1],
        "batch_timeout_micros": batching.microseconds,
        "max_enqueued_batches": batching.batches,
        "num_batch_threads": batching.threads,
    }
    lines = [f"{name} {{ value: {value} }}" for name, value in values.items()]
    return "\n".join([*lines, *(f"allowed_batch_sizes: {size}" for size in sizes)]) + "\n"


def compose(sources: Iterable[Source]) -> dict[str, Any]:
    """Return a Docker Compose file; ports are open only on loopback."""
    volumes = [f"./{name}:{MOUNT}/{name}:ro" for name in (CONFIG, PARAMETERS)]
    volumes += [f"{source.path}:{MOUNT}/{source.name}:ro" for source in sources]
    service = {
        "image": IMAGE,
        "command": ARGUMENTS,
        "ports": [f"127.0.0.1:{port}:{port}" for port in PORTS.values()],
        "volumes": volumes,
    }
    return {"services": {"serving": service}}


def kubernetes(sources: Iterable[Source], batching: Batching) -> list[dict[str, Any]]:
    """Return a ConfigMap, a Deployment and a Service; models come from the claim `models`."""
    name = {"name": "tfgen-serving"}
    labels = {"app": name["name"]}
    data = {CONFIG: text_format.MessageToString(models(sources)), PARAMETERS: parameters(batching)}
    files = [{"name": "config", "mountPath": f"{MOUNT}/{file}", "subPath": file} for file in data]
    stored = [
        {"name": "models", "mountPath": f"{MOUNT}/{source.name}", "subPath": source.name}
        for source in sources
    ]
    container = {
        "name": "serving",
        "image": IMAGE,
        "args": ARGUMENTS,
        "ports": [{"name": key, "containerPort": port} for key, port in PORTS.items()],
        "readinessProbe": {"tcpSocket": {"port": PORTS["rest"]}},
        "volumeMounts": [*files, *stored],
    }
    volumes = [
        {"name": "config", "configMap": name},
        {"name": "models", "persistentVolumeClaim": {"claimName": "models"}},
    ]
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "volumes": volumes},
    }
    deployment = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    ports = [{"name": key, "port": port} for key, port in PORTS.items()]
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": data},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": name, "spec": deployment},
        {"apiVersion": "v1", "kind": "Service", "metadata": name,
         "spec": {"selector": labels, "ports": ports}},
    ]  # fmt: skip


def inference_service(source: Source) -> dict[str, Any]:
    """Return KServe's InferenceService of a model on the claim `models`, on TensorFlow Serving."""
    model = {
        "modelFormat": {"name": "tensorflow"},
        "runtimeVersion": IMAGE.partition(":")[2],
        "storageUri": f"pvc://models/{source.name}",
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": _label(source.name)},
        "spec": {"predictor": {"model": model}},
    }


def _label(name: str) -> str:
    """Return a name as Kubernetes admits it: small letters, digits and dashes, RFC 1123."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].rstrip("-") or "model"


def _yaml(document: dict[str, Any]) -> str:
    """Return a document as YAML; JSON is a subset of it."""
    return json.dumps(document, indent=2) + "\n"
