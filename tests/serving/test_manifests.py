"""Files of `tfgen serve --write-config`, parsed by the API's messages and as JSON, a subset of YAML."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tfgen.serving import Batching, Policy, Source, manifests
from zoo import cli

ROOT = Path(__file__).parents[2]


def documents(path):
    return [json.loads(text) for text in path.read_text().split("---\n")]


@pytest.fixture
def written(tmp_path):
    arguments = ["serve", "--write-config", tmp_path, "gan_digits", "mine=cvae_digits"]
    arguments += ["--versions", "1,2", "--label", "mine:stable=1", "--batch-rows", 12]
    result = CliRunner().invoke(cli.main, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert result.output.split() == [
        str(tmp_path / name)
        for name in (
            "models.config",
            "batching.config",
            "compose.yaml",
            "kubernetes.yaml",
            "kserve.yaml",
        )
    ]
    return tmp_path


def test_models_config_is_a_model_server_config(written):
    message = text_format.Parse(
        (written / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    gan, mine = message.model_config_list.config
    assert (gan.name, gan.base_path, gan.model_platform) == (
        "gan_digits", "/models/gan_digits", "tensorflow"
    )  # fmt: skip
    assert list(mine.model_version_policy.specific.versions) == [1, 2]
    assert dict(mine.version_labels) == {"stable": 1}
    assert not gan.version_labels


@pytest.mark.parametrize(
    ("text", "kind"), [("all", "all"), ("latest:3", "latest"), ("5", "specific")]
)
def test_policies(tmp_path, text, kind):
    message = manifests.models([Source("m", tmp_path, Policy.parse(text))])
    assert (
        message.model_config_list.config[0].model_version_policy.WhichOneof("policy_choice") == kind
    )


def test_batching_parameters():
    """The largest allowed size is the batch's, as TensorFlow Serving demands."""
    text = manifests.parameters(Batching(rows=12, microseconds=7, batches=3, threads=2))
    assert text.splitlines() == [
        "max_batch_size { value: 12 }", "batch_timeout_micros { value: 7 }",
        "max_enqueued_batches { value: 3 }", "num_batch_threads { value: 2 }",
        *(f"allowed_batch_sizes: {size}" for size in (1, 2, 4, 8, 12)),
    ]  # fmt: skip


def test_every_file_names_each_model_where_it_is(written):
    [compose] = documents(written / "compose.yaml")
    service = compose["services"]["serving"]
    assert f"{ROOT}/saved_models/cvae_digits:/models/mine:ro" in service["volumes"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "--allow_version_labels_for_unavailable_models" in service["command"]  # as it starts
    config, deployment, exposed = documents(written / "kubernetes.yaml")
    assert config["data"]["models.config"] == (written / "models.config").read_text()
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert {m["subPath"] for m in container["volumeMounts"]} == {
        "models.config", "batching.config", "gan_digits", "mine"
    }  # fmt: skip
    assert exposed["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    gan, _ = documents(written / "kserve.yaml")
    assert gan["metadata"]["name"] == "gan-digits"
    assert gan["spec"]["predictor"]["model"]["storageUri"] == "pvc://models/gan_digits"
    odd = manifests.inference_service(Source("_My.Model ü%".replace(" ", "-"), ROOT))
    assert odd["metadata"]["name"] == "my-model"


def test_a_version_folder_is_refused_before_anything_is_written(tmp_path):
    arguments = [
        "serve",
        "--write-config",
        tmp_path / "out",
        ROOT / "saved_models" / "gan_digits" / "1",
    ]
    result = CliRunner().invoke(cli.main, list(map(str, arguments)))
    assert result.exit_code == 1
    assert "folders of numbered versions" in result.stderr
    assert not (tmp_path / "out").exists()
