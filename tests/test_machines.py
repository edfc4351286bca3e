"""Discovery of workers by TF_CONFIG, Slurm's variables and a Kubernetes Job's manifest."""

import json
import re
from pathlib import Path

import kubernetes_validate
import pytest
import tensorflow as tf
import yaml

from tfgen import machines, replicas
from zoo import cli

LAUNCH = Path(__file__).resolve().parents[1] / "examples" / "launch"
STEP = {  # three tasks on two hosts, as srun names them to the last one
    "SLURM_JOB_ID": "7001",
    "SLURM_PROCID": "2",
    "SLURM_STEP_NUM_TASKS": "3",
    "SLURM_STEP_NODELIST": "n[9-10]",
    "SLURM_STEP_TASKS_PER_NODE": "2,1",
    "SLURMD_NODENAME": "n10",
}


@pytest.fixture
def step(monkeypatch):
    """The environment of a task of a Slurm step."""
    monkeypatch.delenv("TF_CONFIG", raising=False)
    for name, value in STEP.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_tasks_of_a_slurm_step_are_workers(step):
    found = machines.cluster()
    first = 10_000 + 16 * 1
    assert found.cluster_spec().as_dict() == {
        "worker": [f"n9:{first}", f"n9:{first + 1}", f"n10:{first}"]
    }
    assert (found.task_type, found.task_id) == ("worker", 2)
    assert found.num_accelerators() == {"GPU": 0}
    assert "CUDA_VISIBLE_DEVICES" not in machines.os.environ


def test_a_worker_of_a_slurm_step_trains_on_the_gpus_that_it_sees(step):
    step.setattr(tf.config, "list_physical_devices", lambda kind=None: ["first", "second"])
    assert machines.cluster().num_accelerators() == {"GPU": 2}


def test_mirrored_is_all_gpus_of_the_machine(monkeypatch):
    gpus = [tf.config.LogicalDevice(f"/device:GPU:{index}", "GPU") for index in range(2)]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: gpus)
    monkeypatch.setenv("TF_CONFIG", _tf_config(index=1))  # whose other workers are not taken
    found = machines.strategy("mirrored")
    assert [device[-5:] for device in found.extended.worker_devices] == ["GPU:0", "GPU:1"]
    assert replicas.are_several(found)
    assert replicas.is_chief(found)


def test_a_task_on_another_host_than_its_rank_s_is_refused(step):
    step.setenv("SLURM_PROCID", "1")
    with pytest.raises(ValueError, match="Received: task 1 on n10, expected on n9"):
        machines.cluster()


def test_tf_config_comes_before_slurm(step):
    """As Kubernetes sets it for the second worker of the manifest's Job."""
    step.setenv("TF_CONFIG", _tf_config(index=1))
    found = machines.cluster()
    assert found.cluster_spec().as_dict() == {
        "worker": ["tfgen-train-0.tfgen-train:2222", "tfgen-train-1.tfgen-train:2222"]
    }
    assert (found.task_type, found.task_id) == ("worker", 1)


@pytest.mark.parametrize("missing", sorted(STEP.keys() - {"SLURM_JOB_ID", "SLURMD_NODENAME"}))
def test_a_job_without_srun_is_refused(step, missing):
    step.delenv(missing)
    with pytest.raises(ValueError, match="TF_CONFIG, or a Slurm step started by srun"):
        machines.strategy("multiworker")


def test_the_manifest_keeps_kubernetes_schema():
    for document in _manifest():
        kubernetes_validate.validate(document, "1.33", strict=True)


def test_the_manifest_names_what_it_makes():
    service, job = _manifest()
    spec = job["spec"]["template"]["spec"]
    assert spec["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["selector"] == {"job-name": job["metadata"]["name"]}
    workers = json.loads(_tf_config(index=0))["cluster"]["worker"]
    assert len(workers) == job["spec"]["completions"] == job["spec"]["parallelism"]
    name, domain, port = (
        job["metadata"]["name"],
        spec["subdomain"],
        service["spec"]["ports"][0]["port"],
    )
    assert workers == [f"{name}-{index}.{domain}:{port}" for index in range(len(workers))]
    [container] = spec["containers"]
    assert container["ports"] == [{"containerPort": port}]


@pytest.mark.parametrize("launcher", ["kubernetes.yaml", "slurm.sh"])
def test_launchers_give_the_command_what_it_takes(launcher):
    """Each starts a run, or resumes an existing one."""
    command = _container()["command"]
    if launcher == "slurm.sh":
        text = (LAUNCH / launcher).read_text()
        command = re.search(r"tfgen .*", text)[0].replace('"', "").split()
    program, name, *arguments = command
    assert program == "tfgen"
    options = cli.main.commands[name].make_context(name, arguments).params
    assert options["strategy"] == "multiworker"
    assert options["resume"]


def _manifest():
    return list(yaml.safe_load_all((LAUNCH / "kubernetes.yaml").read_text()))


def _container():
    [container] = _manifest()[1]["spec"]["template"]["spec"]["containers"]
    return container


def _tf_config(index):
    """TF_CONFIG of a worker: Kubernetes puts variables that stand above it for $(NAME)."""
    variables = [entry["name"] for entry in _container()["env"]]
    assert variables.index("JOB_COMPLETION_INDEX") < variables.index("TF_CONFIG")
    [value] = [e["value"] for e in _container()["env"] if e["name"] == "TF_CONFIG"]
    return value.replace("$(JOB_COMPLETION_INDEX)", str(index))
