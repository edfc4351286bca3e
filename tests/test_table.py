"""Table 1, Fig. 1 and Fig. 4 as data: the paper's correspondences hold between the rows."""

import builtins
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tfgen.paper import graphs
from tfgen.paper.graphs import GENERATIVE, INFERENCE
from tfgen.paper.table import ADVERSARY_ACTIVATION, IMPORTANCE_WEIGHTING, ROWS

MODELS = (
    "ADA", "IWADA", "GAN", "IWGAN", "CGAN", "IWCGAN", "InfoGAN", "IWInfoGAN", "AAE", "IWAAE", "PM",
    "CycleGAN", "IWCycleGAN", "VAE", "AA-VAE",
    "CVAE", "AA-CVAE", "SVAE", "AA-SVAE", "VAE/GAN", "IWVAE/GAN",
    "AA-VAE/GAN", "AA-IWVAE/GAN", "GAN/VAE", "IWGAN/VAE", "wake", "sleep",
)  # fmt: skip
TWO_GRAPHS = (
    "CycleGAN",
    "IWCycleGAN",
    *(name for name in MODELS if "/" in name),
)  # whose parts generate and infer
EXCHANGED = {"x": "z", "z": "x", GENERATIVE: INFERENCE, INFERENCE: GENERATIVE}


def edges(arcs):
    return {(arc.source, arc.target, arc.process) for arc in arcs}


def test_rows_are_the_papers_models():
    assert tuple(ROWS) == MODELS
    assert all(row.name == name for name, row in ROWS.items())


def test_rows_are_json():
    assert json.loads(json.dumps([dataclasses.asdict(row) for row in ROWS.values()]))


@pytest.mark.parametrize("row", ROWS.values(), ids=MODELS)
def test_row_states_what_table_1_asks(row):
    assert row.x
    assert row.z
    assert row.learned
    assert row.divergence
    assert row.direction
    for part in (row.generator, row.discriminator, row.inference):
        assert part.process in (GENERATIVE, INFERENCE, "")
        assert bool(part.process) == bool(part.symbol)
    mentioned = {end for arc in row.arcs for end in (arc.source, arc.target)}
    assert mentioned - {"y"} == {"x", "z"} | ({"t"} if row.t else set())


@pytest.mark.parametrize("name", [name for name in MODELS if name not in TWO_GRAPHS])
def test_parts_and_arrows_agree(name):
    """Each distribution of a row is drawn, in the process that Table 1 gives it."""
    row = ROWS[name]
    drawn = {arc.symbol: arc.process for arc in row.arcs}
    for part in (row.generator, row.discriminator, row.inference):
        assert not part.symbol or drawn[part.symbol] == part.process


def test_table_1s_roles():
    """[G] and [I] as the paper prints them."""
    gan, infogan, vae = (ROWS[name] for name in ("GAN", "InfoGAN", "VAE"))
    roles = [(r.generator.process, r.discriminator.process) for r in (gan, infogan, vae)]
    assert roles == [(INFERENCE, GENERATIVE), (INFERENCE, GENERATIVE), (GENERATIVE, INFERENCE)]
    assert (infogan.inference.process, vae.inference.process) == (GENERATIVE, INFERENCE)
    assert "q_*(y|x)" in vae.degenerate[0]


def test_the_vae_is_infogan_with_generation_and_inference_exchanged():
    swapped = {(a, b, EXCHANGED[process]) for a, b, process in edges(ROWS["InfoGAN"].arcs)}
    assert edges(ROWS["VAE"].arcs) == swapped


def test_the_aae_is_infogan_with_images_and_codes_exchanged():
    swapped = {
        (EXCHANGED.get(a, a), EXCHANGED.get(b, b), process)
        for a, b, process in edges(ROWS["InfoGAN"].arcs)
    }
    assert edges(ROWS["AAE"].arcs) == swapped
    assert edges(ROWS["CycleGAN"].arcs) == swapped | edges(ROWS["InfoGAN"].arcs)


def test_wake_and_sleep_exchange_generation_and_inference():
    swapped = {(a, b, EXCHANGED[process]) for a, b, process in edges(ROWS["wake"].arcs)}
    assert edges(ROWS["sleep"].arcs) == swapped


def test_gans_and_vaes_put_theta_on_opposite_sides():
    for name in ("GAN", "IWGAN", "CGAN", "IWCGAN", "InfoGAN", "IWInfoGAN"):
        assert ROWS[name].direction.startswith("theta on the left")
    for name in ("VAE", "AA-VAE", "CVAE", "AA-CVAE", "SVAE", "AA-SVAE", "wake"):
        assert ROWS[name].direction.startswith("theta on the right")


@pytest.mark.parametrize("name", ["VAE", "CVAE", "SVAE"])
def test_adversary_activation_learns_the_discriminator(name):
    row, activated = ROWS[name], ROWS[f"AA-{name}"]
    assert row.transfers == (ADVERSARY_ACTIVATION,)
    assert any("q_*" in part for part in row.degenerate)
    assert not activated.degenerate
    assert activated.learned[:-1] == row.learned
    assert activated.learned[-1].startswith("phi: q_phi(y|x")
    assert "q_*" not in activated.divergence
    assert activated.discriminator.symbol.replace("^(r)", "^r") in activated.divergence
    assert [arc for arc in activated.arcs if arc.adversarial]


@pytest.mark.parametrize("name", ["AAE", "ADA", "GAN", "CGAN", "InfoGAN"])
def test_importance_weighting_changes_the_divergence_only(name):
    row, weighted = ROWS[name], ROWS[f"IW{name}"]
    assert row.transfers == (IMPORTANCE_WEIGHTING,)
    assert weighted.arcs == row.arcs
    assert weighted.learned == row.learned
    assert weighted.divergence != row.divergence


def test_table_is_read_without_tensorflow():
    code = "import sys, tfgen.paper.table; print({'tensorflow', 'numpy', 'matplotlib'} & {*sys.modules})"
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("symbol", "text"),
    [
        ("p_theta(x|z,y)", r"$p_\theta(x|z,y)$"),
        ("q_phi^(r)(y|x)", r"$q_\phi^{(r)}(y|x)$"),
        ("P_phi(z_i|z_-i)", r"$P_\phi(z_i|z_{-i})$"),
    ],
)
def test_mathtext(symbol, text):
    assert graphs.mathtext(symbol) == text


@pytest.mark.parametrize("draw", [graphs.draw_figure_1, graphs.draw_figure_4])
def test_figures_are_drawn(draw, tmp_path):
    pytest.importorskip("matplotlib")
    path = draw(tmp_path / "figure.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [*tmp_path.iterdir()] == [path]


def test_every_rows_graph_can_be_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    assert graphs.draw({name: row.arcs for name, row in ROWS.items()}, tmp_path / "all.png")


def test_drawing_without_matplotlib_names_the_extra(monkeypatch, tmp_path):
    real = builtins.__import__

    def without_matplotlib(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_matplotlib)
    with pytest.raises(ImportError, match="needs the package matplotlib"):
        graphs.draw_figure_4(tmp_path / "figure.png")
    assert [*tmp_path.iterdir()] == []
