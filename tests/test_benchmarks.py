"""Benchmarks: counts of operations, contenders with the same work, and the report as made from the data."""

import dataclasses
import importlib
import io
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from benchmarks import (
    bfloat16,
    comparison,
    cost,
    gpu,
    machine,
    operations,
    replicas,
    report,
    serving_page,
    streams,
    timing,
    worker,
)
from benchmarks.contenders import documentation, ours

DUMMY = "tests.benchmark_contenders:notes"


def test_multiply_adds_of_hand_computed_layers():
    images = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 5, strides=2, padding="same")(images)
    x = keras.layers.Conv2DTranspose(2, 3, strides=2, padding="same")(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(10)(x)
    network = keras.Model(images, x)

    counts = [operations.multiply_adds(layer) for layer in network.layers]
    down, up, dense = 4 * 4 * 25 * 3 * 4, 4 * 4 * 9 * 4 * 2, 8 * 8 * 2 * 10
    assert counts == [0, down, up, 0, dense]
    assert operations.forward(network) == 2 * (down + up + dense)
    assert operations.training(network) == 2 * (3 * (down + up + dense) - down)


def test_operations_of_a_step():
    """Dense networks of one layer, a = 6 and b = 12 multiply-adds."""
    theta = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    phi = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    # theta: forward, filter; phi: twice forward and filter, once the input's gradient.
    assert operations.gan_step(theta, phi) == 2 * (2 * 6 + 2 * 2 * 12 + 12)
    assert operations.documentation_step(theta, phi) == 2 * (3 * 6 + 3 * 2 * 12)
    assert operations.vae_step(theta, phi) == 2 * (3 * 6 + 2 * 12)


def test_stock_networks_are_the_library_s_with_keras_layers():
    theta, phi = ours.dcgan(width=4, size=16)
    latents = np.random.default_rng(0).normal(size=(3, ours.LATENT_DIM)).astype("float32")
    for network, inputs in ((theta, [latents]), (phi, theta([latents]))):
        twin = documentation.stock(network)
        assert not any(type(layer).__module__.startswith("tfgen") for layer in twin.layers)
        for training in (False, True):
            np.testing.assert_allclose(
                twin(inputs, training=training), network(inputs, training=training), atol=1e-5
            )


def test_loops_train_networks_of_equal_size():
    cases = {"tiny": {"width": 4, "size": 28, "batch": 2}}
    facts = [module.gan_steps(cases).facts["tiny"] for module in (ours, documentation)]
    assert facts[0]["parameters"] == facts[1]["parameters"]
    if importlib.util.find_spec("torch"):
        torch_facts = importlib.import_module("benchmarks.contenders.pytorch").gan_steps(cases)
        assert torch_facts.facts["tiny"]["parameters"] == facts[0]["parameters"]


def test_documentation_loop_trains_both_networks():
    model = documentation.gan(width=4, size=16)
    before = [network.get_weights() for network in (model.generator, model.discriminator)]
    logs = ours.step(model, ours.pipeline(size=16, batch=4))()
    after = [network.get_weights() for network in (model.generator, model.discriminator)]
    assert np.isfinite([float(value) for value in logs.values()]).all()
    for old, new in zip(before, after, strict=True):
        assert not np.array_equal(old[0], new[0])


def test_documentation_loop_costs_two_forward_passes_more():
    cases = {"tiny": {"width": 4, "size": 16, "batch": 2}}
    step, loop = (
        module.gan_steps(cases).facts["tiny"]["operations"] for module in (ours, documentation)
    )
    forward = sum(map(operations.forward, ours.dcgan(width=4, size=16)))
    assert loop - step == 2 * forward


def test_blocks_alternate_and_each_begins_with_an_untimed_unit(tmp_path):
    notes = tmp_path / "notes"
    tasks = {name: (DUMMY, {"word": name, "path": str(notes)}) for name in ("a", "b")}
    with timing.start_workers(tasks) as workers:
        assert {name: w.facts for name, w in workers.items()} == {"a": {"a": 1}, "b": {"b": 1}}
        runs = {name: (w, "write") for name, w in workers.items()}
        seconds = timing.alternate(runs, timing.Effort(rounds=3, block=0))
        assert all(w.peak_bytes > 2**20 for w in workers.values())
    assert all(len(values) == 3 and min(values) > 0 for values in seconds.values())
    warm_up = timing.WARM_UP + 1 + 2  # a block of each length, and the untimed units
    assert notes.read_text() == "a" * warm_up + "b" * warm_up + "aabb" * 3


def test_a_worker_that_ends_is_named(capfd):
    with (
        pytest.raises(RuntimeError, match=r"status 1 of the worker for tests\.absent:task"),
        timing.start_workers({"absent": ("tests.absent:task", {})}),
    ):
        pass
    assert "ModuleNotFoundError" in capfd.readouterr().err


def test_an_unknown_unit_ends_the_worker():
    with pytest.raises(KeyError, match="other"):
        worker.serve(worker.Contender(), ['{"unit": "other", "repeats": 1}'], io.StringIO())


def test_spread_and_ratio():
    assert timing.spread([5, 1, 3, 2, 4]) == timing.Spread(3, 2, 4)
    assert timing.spread([1, 3]) == timing.Spread(2, 1, 3)
    # Round by round: the machine's slow second round meets both, the ratio stays.
    assert timing.ratio([2, 20, 4], [1, 10, 2]) == timing.Spread(2, 2, 2)


def test_units_join_the_records_of_their_case(monkeypatch, tmp_path):
    monkeypatch.setattr(timing, "REGIMES", {"own": {}})
    monkeypatch.setattr(comparison, "REGIMES", {"own": {}})
    product = {"word": comparison.PRODUCT, "path": str(tmp_path / "notes")}
    monkeypatch.setattr(comparison, "PRODUCT_TASK", (DUMMY, product))
    tasks = {"peer": ("tests.benchmark_contenders:variants", {"case": "width 3"})}
    cases = ["width 3", "width 32"]
    records = comparison.compare(tasks, cases, timing.Effort(rounds=2, block=0))
    assert [record["case"] for record in records] == cases
    assert [list(record["seconds"]) for record in records] == [
        ["peer", "peer, wide", comparison.PRODUCT],
        ["peer", comparison.PRODUCT],
    ]
    assert records[0]["facts"] == {"peer": {"operations": 5}, comparison.PRODUCT: 1}


def test_missing_peers_are_skipped_with_a_message():
    task = ("module:function", {})
    assert comparison.with_peer({}, "json", "peer", task) == ({"peer": task}, {})
    tasks, skipped = comparison.with_peer({}, "no_such_package", "peer", task)
    assert tasks == {}
    assert skipped == {"peer": "the package no_such_package is not installed"}


def example(tfgen, keras_seconds):
    """Results in which a step of 100 operations is held against a product of 50 operations in 1 s."""
    seconds = {"tfgen": tfgen, "keras": keras_seconds, comparison.PRODUCT: [1.0] * len(tfgen)}
    facts = {
        "tfgen": {"operations": 100},
        "keras": {"operations": 120},
        comparison.PRODUCT: {"operations": 50},
    }
    record = {"regime": "own", "case": "width 64, 28 px", "seconds": seconds, "facts": facts}
    skipped = {"pytorch": "torch is not installed"}
    return {
        "machine": {
            "processor": "P", "cores": 2, "instruction_sets": ["avx2"],
            "versions": {"tensorflow": "2"}, "onednn": {"own": True},
        },
        "benchmarks": {
            "training_step": {"date": "2026-01-02", "records": [record], "skipped": skipped}
        },
    }  # fmt: skip


def test_report_judges_targets_and_states_their_bound():
    text = report.render(example([4.0, 4.0, 8.0], [8.0, 8.0, 16.0]))
    # 100 operations take 2 s at the product's rate: the ratio could be 8 / 2 at best.
    title = "step against the Keras documentation's loop"
    assert f"| {title} | own | width 64, 28 px | 3 | 2.00 (2.00-2.00) | no | 4.00 |" in text
    assert "1 of 1 cells miss their target; in 0 the target lies beyond" in text
    assert "PyTorch was skipped: torch is not installed." in text

    text = report.render(example([4.0] * 3, [12.0] * 3))
    assert f"| {title} | own | width 64, 28 px | 3 | 3.00 (3.00-3.00) | yes | 6.00 |" in text


def test_steps_on_a_gpu_are_held_against_the_fastest_of_the_library():
    results = json.loads((timing.ROOT / "benchmarks" / "gpu.json").read_text())
    seconds = {"tfgen, float32": [2e-3] * 3, "tfgen, bfloat16": [1e-3] * 3, "pytorch": [3e-3] * 3}
    records = [{"case": "batch 64", "seconds": seconds}]
    text = gpu.render({**results, "records": records, "skipped": ["keras"]})
    assert "| batch 64 | ms a step | / tfgen, bfloat16 |" in text
    assert "| pytorch | 3 | 3.00 (3.00-3.00) |" in text
    assert "Failed to start: keras." in text


def test_reports_are_made_of_the_results_beside_them():
    folder = timing.ROOT / "benchmarks"
    renderers = {
        "bfloat16": bfloat16.page,
        "gpu": gpu.render,
        "replicas": replicas.page,
        "results": report.render,
        "serving_load": serving_page.page,
        "streams": streams.page,
    }
    pages = {"serving_load": serving_page.PATH}
    written = {path.stem: path.read_text() for path in folder.glob("*.json")}
    assert written.keys() <= renderers.keys()
    for name, text in written.items():
        page = pages.get(name, folder / f"{name.upper()}.md").read_text()
        assert renderers[name](json.loads(text)) == page


def test_machine_names_what_the_processor_has():
    assert set(machine.instruction_sets()) <= set(machine.INSTRUCTION_SETS)
    assert machine.versions(["keras", "no-such-package"]) == {"keras": keras.__version__}


def test_products_in_bfloat16_are_held_against_those_in_float32():
    machine = {"processor": "P", "cores": 1, "instruction_sets": ["amx_tile"]}
    seconds = {"float32": [0.2, 0.3, 0.2], "bfloat16": [0.1, 0.1, 0.1]}
    page = bfloat16.page({"machine": machine, "recipes": {"gan_mnist": seconds}})
    assert page.endswith("| `gan_mnist` | 200.0 | 100.0 | 2.00 (2.00-2.50) |\n")


@pytest.mark.parametrize("wanted", [False, True])
def test_a_recipe_s_step_is_run_with_the_products_asked_for(monkeypatch, wanted):
    option, asked = "auto_mixed_precision_onednn_bfloat16", []

    def train_function(iterator):
        asked.append(tf.config.optimizer.get_experimental_options().get(option, False))

    monkeypatch.setattr(ours, "step", lambda model, batches: lambda: train_function(batches))
    contender = ours.recipe_steps("vae_mnist", bfloat16=wanted)
    contender.units["vae_mnist"]()
    assert asked == [wanted]


class TestCost:
    """Hand-computed: 100 images of 8 operations at 100 a second, 10 weights, 2 devices a machine."""

    ASSUMED = cost.Assumptions(
        images=1000, batch=100, operations=8.0, parameters=10, rate=100.0, overhead=1.0, devices=2,
        reading=1000.0, inside=20.0, between=10.0, inside_latency=0.25, between_latency=0.5,
        exchanges=2, price=3.0,
    )  # fmt: skip

    @pytest.mark.parametrize(
        ("devices", "seconds"),
        [
            (1, 1 + 8),
            (2, 1 + 4 + 40 / 20 + 2 * 1 * 2 * 0.25),  # each byte passes a device of two once
            (4, 1 + 2 + 1.5 * 40 / 10 + 2 * 2 * 2 * 0.5),
        ],
    )
    def test_of_a_step(self, devices, seconds):
        assert cost.step_seconds(self.ASSUMED, devices) == pytest.approx(seconds)

    def test_slow_reading_is_what_a_step_waits_for(self):
        slow = dataclasses.replace(self.ASSUMED, reading=4.0)
        assert cost.step_seconds(slow, 1) == pytest.approx(1 + 25)
        assert cost.cost(slow, 1).longest == "reading"
        assert cost.step_seconds(slow, 4) == pytest.approx(1 + 12.5)  # on two machines

    def test_of_a_run(self):
        """Ten steps of 8 seconds on two devices at 3 an hour each."""
        found = cost.cost(self.ASSUMED, 2)
        assert found.milliseconds == pytest.approx(8000)
        assert found.longest == "computing"
        assert found.hours == pytest.approx(80 / 3600)
        assert found.price == pytest.approx(2 * 3 * 80 / 3600)
        assert found.efficiency == pytest.approx(9 / 16)

    def test_a_device_without_images_is_refused(self):
        with pytest.raises(ValueError, match="Received: devices=101, batch=100"):
            cost.step_seconds(self.ASSUMED, 101)

    def test_the_page_is_of_the_reference_s_networks(self):
        path = timing.ROOT / "benchmarks" / "COST.md"
        assert cost.page(cost.Assumptions(**cost.reference())) == path.read_text()

    def test_options_change_assumptions(self):
        options = ["--operations", "1e9", "--parameters", "1000000", "--price", "7.5"]
        result = CliRunner().invoke(cost.main, [*options, "--gpus", "4"])
        assert result.exit_code == 0, result.output
        assert result.output.startswith("# Cost of a run on 4 GPUs\n")
        assert "\n| 4 | 56.2 | reading |" in result.output  # 5 + 1024 images at 20 a millisecond
        assert "| `--price` | 7.5 | price of a GPU for an hour |" in result.output
