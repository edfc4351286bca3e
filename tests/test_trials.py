"""Every fault that was met by trying other projects' bug reports has a test that holds its right value.

The rows F1 to F38 are those of the project's trials; an entry names what was wrong, and its tests.
"""

import ast
import functools
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

TRIALS = {
    "F1": ("a stream of unknown length", "test_gate.py::test_an_unknown_length_leaves_no_trace"),
    "F2": ("scores of uint8 images", "test_evaluation.py::test_a_stream_of_eight_bits"),
    "F3": ("mixed precision", "test_contract.py::test_it_learns_and_serves_in_another_precision"),
    "F4": ("uint8 validation data", "test_gate.py::test_arrays_of_images"),
    "F5": (
        "sample weights",
        "test_gate.py::test_weights_of_examples",
        "test_gate.py::test_structures",
    ),
    "F6": ("a smaller last batch", "test_loop.py::test_the_batches_do_not_matter"),
    "F7": ("uint8 labels", "test_gate.py::test_labels_of_any_integer_dtype"),
    "F8": ("split folders", "test_folders.py::test_splits_are_known_by_their_usual_names"),
    "F9": ("tool folders", "test_folders.py::test_what_tools_leave_behind_is_passed_over"),
    "F10": ("an endless generator", "test_gate.py::test_an_endless_stream_is_counted_by_its_epoch"),
    "F11": ("NaN", "test_loop.py::test_training_stops_and_names_the_player"),
    "F12": ("float64 streams", "test_gate.py::test_domains_in_float64"),
    "F13": (
        "hidden files and deeper pictures",
        "test_folders.py::test_what_tools_leave_behind_is_passed_over",
        "test_folders.py::test_deeper_pictures_are_of_the_outermost_class",
    ),
    "F14": ("an empty replica", "test_gate.py::test_a_last_batch_leaves_no_replica_empty"),
    "F15": ("export after fit", "test_loop.py::test_export_writes_the_endpoints"),
    "F16": ("another backend", "test_loop.py::test_another_backend_is_refused_in_words"),
    "F17": ("dictionaries of TFDS", "test_gate.py::test_structures"),
    "F18": (
        "XLA",
        "test_sampling_memory.py::test_images_are_those_of_the_seed_under_every_compile",
    ),
    "F19": (
        "heads of another kind",
        "test_heads.py::test_a_discriminator_gives_one_number_per_image",
        "test_heads.py::test_a_discriminator_gives_logits_of_any_size_and_sign",
    ),
    "F20": ("NumPy scalars", "test_loop.py::test_numpys_scalars_are_plain_numbers"),
    "F21": ("a huge picture", "test_decoding.py::test_huge_pictures"),
    "F22": ("labels that overflow", "test_data.py::test_refuses"),
    "F23": ("served labels out of range", "test_endpoints.py::test_the_graph_refuses_in_words"),
    "F24": (
        "a warning of structures",
        "test_structures.py::test_inputs_of_any_structure_are_met_without_a_warning",
    ),
    "F25": (
        "floatx float64",
        "test_structures.py::test_a_file_and_an_export_of_float64_give_its_images",
        "test_contract.py::test_it_learns_and_serves_in_another_precision",
    ),
    "F26": ("EXIF orientation", "test_decoding.py::test_is_turned_as_seen"),
    "F27": ("transparency", "test_decoding.py::test_is_white"),
    "F28": ("a schedule that has ended", "test_loop.py::test_a_schedule_that_has_ended_is_said"),
    "F29": ("a scheduler's callback", "test_loop.py::test_a_schedule_leaves_no_rate_to_set"),
    "F30": ("batches without a domain", "test_loop.py::test_adas_domains_have_means_of_their_own"),
    "F31": ("other formats", "test_gate.py::test_other_formats"),
    "F32": (
        "pictures of several sizes",
        "test_own_commands.py::test_the_six_commands_lead_from_a_folder_to_a_scored_preset",
    ),
    "F33": (
        "two learning rates",
        "test_loop.py::test_one_optimizer_for_each_player_is_saved_and_resumed_exactly",
    ),
    "F34": ("batchable noise", "test_endpoints.py::test_image_i_is_sampled_by_seed_i"),
    "F35": ("PyDataset and generators", "test_gate.py::test_every_kind_trains_alike"),
    "F36": ("TensorFlow Lite", "test_interchange.py::test_litert_computes_as_the_preset"),
    "F37": (
        "unlabelled folders",
        "test_own_pictures.py::test_a_recipe_that_learns_from_labels_refuses_pictures_without_classes",
        "test_cli.py::test_train_refuses_what_it_is_asked_before_tensorflow_starts",
    ),
    "F38": ("the progress bar", "test_loop.py::test_the_progress_bar_counts_batches"),
}


@functools.cache
def functions_of(file):
    tree = ast.parse((TESTS / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_no_trial_is_left_out():
    assert list(TRIALS) == [f"F{row}" for row in range(1, 39)]


@pytest.mark.parametrize("row", TRIALS)
def test_a_trial_has_a_test(row):
    for place in TRIALS[row][1:]:
        file, name = place.split("::")
        assert name in functions_of(file), place
