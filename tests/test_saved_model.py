"""Contents of an export: operations of old runtimes, and variables byte-identical to an older export's."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf
from models import build, digits

import tfgen
from tfgen import saved_model

# All operations and attributes that exports may hold.  One that is not here narrows the runtimes that can
# serve them: look up its release, and put it into `saved_model.RELEASES` if that is after 2.0.
OPERATIONS = """
AddN AddV2 All ArgMax Assert AssignVariableOp BatchMatMulV2 BiasAdd BitwiseOr BroadcastTo Cast
ConcatV2 Const Conv2D DecodeJpeg DepthToSpace EncodePng EnsureShape Equal Exp ExpandDims Expm1
FloorDiv FloorMod GatherV2 GreaterEqual Identity IdentityN IsFinite LeakyRelu LeftShift Less
LessEqual Log LogSoftmax LogicalAnd MatMul Max Maximum Mean MergeV2Checkpoints Mul MulNoNan Neg NoOp
OneHot OnesLike Pack Pad PartitionedCall Placeholder Prod Range ReadVariableOp RealDiv Relu Reshape
RestoreV2 Round Rsqrt SaveV2 ScaleAndTranslate Select SelectV2 Shape ShardedFilename Sigmoid Softmax
Softplus Split SplitV Square SquaredDifference Squeeze StatefulPartitionedCall StatelessCase
StatelessRandomNormalV2 StatelessRandomUniformFullIntV2 StatelessRandomUniformV2 StatelessWhile
StaticRegexFullMatch StopGradient StridedSlice StringJoin Sub Sum TensorListConcatV2
TensorListFromTensor TensorListGetItem TensorListReserve TensorListSetItem TensorListStack Tile
Transpose Unpack VarHandleOp While ZerosLike
"""
ATTRIBUTES = """
DstT Index N SrcT T Taxis Tin Tindices Tlen Tout Tparams _collective_manager_ids
_has_manual_control_dependencies _lower_using_switch_merge _num_original_outputs _output_shapes
_read_only_resource_inputs alpha begin_mask block_size body branches cond config_proto dct_method
dtype dtypes element_dtype ellipsis_mask end_mask epsilon explicit_paddings f
incompatible_shape_error keep_dims kernel_type new_axis_mask num num_split output_shapes output_type
padding parallel_iterations pattern shape shape_type shared_name shrink_axis_mask squeeze_dims
strides transpose_a transpose_b value
"""


@pytest.fixture(scope="module", params=["gan_digits", "svae_digits_10pct", "resnet_digits"])
def exported(request, tmp_path_factory):
    """A model and the folder of its export."""
    model = build(request.param)
    folder = tmp_path_factory.mktemp(request.param) / "1"
    tfgen.export(model, folder)
    return model, folder


def digest(folder):
    files = sorted((folder / "variables").iterdir())
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def test_operations_and_attributes_are_those_of_old_runtimes(exported):
    _, folder = exported
    nodes = saved_model.nodes(folder / "saved_model.pb")
    assert {node.op for node in nodes} <= set(OPERATIONS.split())
    assert {name for node in nodes for name in node.attr} <= set(ATTRIBUTES.split())
    random = any("StatelessRandom" in node.op for node in nodes)
    assert saved_model.min_runtime(folder) == ("2.5" if random else "2.0")


def test_an_export_anew_keeps_the_files_of_variables(exported):
    model, folder = exported
    before = digest(folder)
    tfgen.export(model, folder)
    assert digest(folder) == before


def test_other_weights_are_written(tmp_path):
    model, folder = build("gan_digits"), tmp_path / "1"
    tfgen.export(model, folder)
    before = digest(folder)
    weight = model.sampler.weights[0]
    weight.assign_add(tf.ones_like(weight))
    tfgen.export(model, folder)
    assert digest(folder) != before
    images = tf.saved_model.load(str(folder)).signatures["generate"](seeds=tf.range(2))["images"]
    np.testing.assert_allclose(images[0], model.sample(1, seed=0)[0], atol=1e-5)


def test_what_was_taken_out_is_not_missed_when_it_is_saved_again(exported, tmp_path):
    model, folder = exported
    served = tf.saved_model.load(str(folder))
    tf.saved_model.save(served, str(tmp_path / "2"), served.signatures)
    again = tf.saved_model.load(str(tmp_path / "2")).signatures
    name = next(iter(model.endpoints()))
    arguments = {"seeds": tf.range(3)} if name == "generate" else {"images": digits(3)[0]}
    if "labels" in model.endpoints()[name][1]:
        arguments["labels"] = tf.range(3)
    arguments = {key: tf.constant(value) for key, value in arguments.items()}
    expected = served.signatures[name](**arguments)
    for key, value in again[name](**arguments).items():
        np.testing.assert_array_equal(value, expected[key])
