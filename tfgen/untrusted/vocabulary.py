"""Names that an untrusted configuration may use: Keras' own, by kind.

None of them runs code or a function that the file chooses, reads or writes a file, or uses the network.
"""

_ACTIVATIONS = """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu
    linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus
    softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
"""
_LAYERS = """
    Activation ActivityRegularization Add AlphaDropout Attention Average AdditiveAttention
    AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveMaxPooling1D AdaptiveMaxPooling2D
    AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional CenterCrop
    Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose Cropping1D
    Cropping2D Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Dot Dropout ELU EinsumDense Embedding
    Flatten GRU GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D
    GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
    GroupNormalization GroupQueryAttention Identity InputLayer LSTM LayerNormalization LeakyReLU
    Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum MultiHeadAttention Multiply
    Normalization PReLU Permute RMSNormalization RandomBrightness RandomContrast RandomFlip
    RandomRotation RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing
    SeparableConv1D SeparableConv2D SimpleRNN Softmax SpatialDropout1D SpatialDropout2D
    SpatialDropout3D SpectralNormalization Subtract UnitNormalization UpSampling1D UpSampling2D
    UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""
# Operations on tensors of a Functional graph: `x + y`, `x[:, 0]`, `keras.ops.tanh(x)`.
_NUMPY = """
    Abs Absolute Add Amax Amin Average Clip Concatenate Cos Divide Dot Einsum Equal Exp ExpandDims
    Expm1 Flip Floor GetItem Greater GreaterEqual Less LessEqual Log Log10 Log1p Log2 Matmul Max
    Maximum Mean Min Minimum Mod Moveaxis Multiply Negative NotEqual Power Prod Reciprocal Reshape
    Round Sign Sin Sqrt Square Squeeze Stack Std Subtract Sum Swapaxes Take Tanh Transpose TrueDivide
    Var Where
"""
_NEURAL = """
    Celu Elu Gelu Glu HardSigmoid HardSilu HardTanh LeakyRelu LogSigmoid LogSoftmax Normalize Relu
    Relu6 Selu Sigmoid Silu Softmax Softplus Softsign
"""
_OPTIMIZERS = """
    Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion LossScaleOptimizer Muon Nadam RMSprop
    SGD ScheduleFreeAdamW
"""
_SCHEDULES = """
    CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay
    PolynomialDecay
"""
_LOSSES = """
    BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy
    CategoricalHinge CosineSimilarity Hinge Huber KLDivergence LogCosh MeanAbsoluteError
    MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
    SparseCategoricalCrossentropy SquaredHinge
"""
_METRICS = """
    Accuracy BinaryAccuracy BinaryCrossentropy CategoricalAccuracy CategoricalCrossentropy
    CosineSimilarity F1Score KLDivergence MeanAbsoluteError MeanSquaredError RootMeanSquaredError
    SparseCategoricalAccuracy SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy
    TopKCategoricalAccuracy
"""


def _split(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _of(module: str, names: str) -> frozenset[tuple[str, str]]:
    return frozenset((module, name) for name in names.split())


# Kind -> {(module, class)} as Keras writes them.
CLASSES = {
    "layer": _of("keras.layers", _LAYERS)
    | _of("keras.src.ops.numpy", _NUMPY)
    | _of("keras.src.ops.nn", _NEURAL)
    | _of("keras.src.models.functional", "Functional")
    | _of("keras", "Sequential"),
    "initializer": _of(
        "keras.initializers",
        "Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones"
        " Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros",
    ),
    "regularizer": _of("keras.regularizers", "L1 L1L2 L2 OrthogonalRegularizer"),
    "constraint": _of("keras.constraints", "MaxNorm MinMaxNorm NonNeg UnitNorm"),
    "dtype": _of("keras", "DTypePolicy"),
    "optimizer": _of("keras.optimizers", _OPTIMIZERS),
    "schedule": _of("keras.optimizers.schedules", _SCHEDULES),
    "loss": _of("keras.losses", _LOSSES),
    "metric": _of("keras.metrics", _METRICS),
    "seed": _of("keras.random", "SeedGenerator"),
    # Layers that stand for a function.
    "activation": _of("keras.layers", "Activation ELU LeakyReLU PReLU ReLU Softmax"),
}

# Kind -> modules that its functions come from, and their names.
FUNCTIONS = {
    "activation": (
        frozenset({"builtins", "keras.activations", "keras.ops"}),
        _split(_ACTIVATIONS),
    ),
}

# Kind -> the names by which a string may stand for it.
STRINGS = {
    "activation": _split(_ACTIVATIONS),
    "initializer": _split(
        """constant glorot_normal glorot_uniform he_normal he_uniform identity lecun_normal
        lecun_uniform ones orthogonal random_normal random_uniform truncated_normal uniform normal
        variance_scaling zeros zero one"""
    )
    | {name for _, name in CLASSES["initializer"]},
    "regularizer": _split("l1 l2 l1_l2 orthogonal L1 L2 L1L2"),
    "constraint": _split(
        "max_norm min_max_norm non_neg unit_norm MaxNorm MinMaxNorm NonNeg UnitNorm"
    ),
    "loss": _split(
        """binary_crossentropy categorical_crossentropy cosine_similarity hinge huber kl_divergence
        log_cosh mae mean_absolute_error mean_squared_error mse poisson
        sparse_categorical_crossentropy squared_hinge"""
    ),
    "metric": _split(
        """acc accuracy binary_accuracy binary_crossentropy categorical_accuracy
        categorical_crossentropy mae mean_absolute_error mean_squared_error mse
        sparse_categorical_accuracy sparse_categorical_crossentropy
        top_k_categorical_accuracy"""
    ),
    "dtype": _split(
        """bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 float32 float64 bfloat16
        mixed_float16 mixed_bfloat16"""
    ),
}

# Key of a configuration -> kind of the object under it; `kind_of` knows suffixes of keys as well.
_KEYS = {
    "activation": "activation",
    "recurrent_activation": "activation",
    "backward_layer": "layer",
    "dtype": "dtype",
    "eta": "layer",
    "inner_optimizer": "optimizer",
    "layer": "layer",
    "layers": "layer",
    "learning_rate": "schedule",
    "loss": "loss",
    "metrics": "metric",
    "omega": "layer",
    "optimizer": "optimizer",
    "optimizers": "optimizer",
    "phi": "layer",
    "seed": "seed",
    "seed_generator": "seed",
    "theta": "layer",
    "value": "array",
    "weighted_metrics": "metric",
}


def kind_of(key: str) -> str | None:
    """Return the kind of object that is allowed under a key of a configuration, None for no object."""
    for kind in ("initializer", "regularizer", "constraint"):
        if key == kind or key.endswith(f"_{kind}"):
            return kind
    return _KEYS.get(key)
