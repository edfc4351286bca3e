"""Data sets prepared by TensorFlow Datasets, read whole, or record by record in any order."""

import array
import functools
import os
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen.data.pictures import Geometry, pixels
from tfgen.data.pipeline import Fetch
from tfgen.data.sources import InMemory, Source, SplitReader
from tfgen.data.splits import check_split, split_error

_READ_BATCH = 1024
_LENGTH, _CHECKSUM = 8, 4  # bytes of a TFRecord's parts: length, checksum, data, checksum


class Prepared(Source):
    """Image classification data set of TFDS.

    Raises:
        ValueError: Its supervised keys are not 8-bit images and class labels.
    """

    def __init__(self, name: str, builder: Any):
        self.name, self._builder = name, builder
        self.on_disk = builder.is_prepared()
        self._image_key, self._label_key = _classification_keys(name, builder.info)
        self.class_names = tuple(builder.info.features[self._label_key].names)
        self.splits = {split: part.num_examples for split, part in builder.info.splits.items()}

    def shape(self) -> tuple[int | None, int | None, int]:
        return self._builder.info.features[self._image_key].shape

    def read_split(self, split: str, stream: bool = False) -> SplitReader:
        check_split(split)
        from tensorflow_datasets.core.file_adapters import FileFormat

        _prepare(self.name, self._builder)
        # TFDS itself reads no ArrayRecord files with TensorFlow.
        if stream or self._builder.info.file_format is FileFormat.ARRAY_RECORD:
            return Records(self._builder, split, self._image_key, self._label_key)
        images, labels = [], []
        # Images of several sizes cannot be stacked; one by one is three times slower.
        batch_size = 1 if None in self.shape() else _READ_BATCH
        for batch in _dataset(self._builder, split).batch(batch_size).as_numpy_iterator():
            images.extend(batch[0])
            labels.extend(batch[1])
        return InMemory(images, np.array(labels, dtype=np.int32))


class Records(SplitReader):
    """Records of a split on disk, in the order of their files, not held in memory."""

    def __init__(self, builder: Any, split: str, image_key: str, label_key: str):
        self._builder = builder
        self._image_key, self._label_key = image_key, label_key
        try:
            instructions = builder.info.splits[split].file_instructions
        except (ValueError, KeyError) as error:
            raise split_error(split, builder.info.splits) from error
        self._files = [_open_records(str(one.filename), builder.info) for one in instructions]
        rows = [
            np.stack([np.full(one.take, i), np.arange(one.skip, one.skip + one.take)], axis=1)
            for i, one in enumerate(instructions)
        ]
        self._rows = np.concatenate(rows)  # (n, 2): file, and record in it

    def __len__(self):
        return len(self._rows)

    @functools.cached_property
    def labels(self) -> np.ndarray:
        """Labels, read in one pass over all records without decoding pictures."""
        import tensorflow_datasets as tfds

        features = self._builder.info.features
        decoders = {self._image_key: tfds.decode.SkipDecoding()}

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
        def read(records):
            def one(record):
                example = features.deserialize_example(record, decoders=decoders)
                return tf.cast(example[self._label_key], tf.int32)

            return tf.map_fn(one, records, fn_output_signature=tf.int32)

        starts = range(0, len(self), _READ_BATCH)
        parts = [read(self._records(slice(i, i + _READ_BATCH))).numpy() for i in starts]
        return np.concatenate(parts)

    def array(self, kept: np.ndarray, geometry: Geometry) -> np.ndarray:
        fetch, shape = self.stream(geometry)
        fetch, images = tf.function(fetch), np.empty((len(kept), *shape), np.uint8)
        for start in range(0, len(kept), _READ_BATCH):
            images[start : start + _READ_BATCH], _ = fetch(kept[start : start + _READ_BATCH])
        return images

    def stream(
        self, geometry: Geometry, cached: bool = False
    ) -> tuple[Fetch, tuple[int, int, int]]:
        features = self._builder.info.features
        height, width, channels = features[self._image_key].shape
        if geometry.size is None and None in (height, width):
            raise ValueError(
                "Images of different sizes need size=, to be resized, cropped or padded to. "
                f"Received: shape={(height, width, channels)}"
            )
        shape = geometry.shape(height, width, channels)

        def one(record):
            example = features.deserialize_example(record)
            image = pixels(example[self._image_key][None], geometry)[0]
            return tf.ensure_shape(image, shape), tf.cast(example[self._label_key], tf.int32)

        def fetch(indices):
            (records,) = tf.numpy_function(self._records, [indices], [tf.string], stateful=False)
            records.set_shape(indices.shape)
            kinds = tf.TensorSpec(shape, tf.uint8), tf.TensorSpec((), tf.int32)
            return tf.map_fn(one, records, fn_output_signature=kinds)

        return fetch, shape

    def _records(self, indices) -> np.ndarray:
        read = [self._files[file](record) for file, record in self._rows[indices]]
        return np.array(read, dtype=object)


def _open_records(path, info):
    """Return a function from record number to its bytes, for a file of TFDS."""
    from tensorflow_datasets.core.file_adapters import FileFormat

    if info.file_format is FileFormat.ARRAY_RECORD:
        from array_record.python.array_record_module import ArrayRecordReader

        reader = ArrayRecordReader(path)
        return lambda record: reader.read([int(record)])[0]
    if info.file_format is FileFormat.TFRECORD:
        return _TFRecords(path)
    raise ValueError(
        "Only TFRECORD and ARRAY_RECORD files can be streamed. "
        f"Received: {path!r} of format {info.file_format.name}"
    )


class _TFRecords:
    """Random access to a TFRecord file, by an index of its records built on the first read.

    The format: https://www.tensorflow.org/tutorials/load_data/tfrecord.
    """

    def __init__(self, path: str):
        self._path = path

    def __call__(self, record: int) -> bytes:
        start, length = self._index[record]
        with open(self._path, "rb") as file:
            file.seek(start)
            return file.read(length)

    @functools.cached_property
    def _index(self) -> np.ndarray:
        """Return (n, 2), the first byte and the number of bytes of each record's data."""
        rows, position, end = array.array("q"), 0, os.path.getsize(self._path)
        with open(self._path, "rb") as file:
            while position < end:
                file.seek(position)
                length = int.from_bytes(file.read(_LENGTH), "little")
                start = position + _LENGTH + _CHECKSUM
                position = start + length + _CHECKSUM
                rows.extend((start, length))
        if position != end:
            raise ValueError(f"A file of records must be whole. Received: {self._path!r}")
        return np.array(rows).reshape(-1, 2)


def _dataset(builder, split) -> tf.data.Dataset:
    """Return the dataset of (image, label) of a split in the order of its files."""
    import tensorflow_datasets as tfds

    in_order = tfds.ReadConfig(interleave_cycle_length=1)
    try:
        return builder.as_dataset(split=split, as_supervised=True, read_config=in_order)
    except ValueError as error:
        raise split_error(split, builder.info.splits) from error


def _classification_keys(name, info) -> tuple[str, str]:
    import tensorflow_datasets as tfds

    keys = info.supervised_keys
    if keys and len(keys) == 2 and all(key in info.features for key in keys):
        image, label = (info.features[key] for key in keys)
        is_picture = isinstance(image, tfds.features.Image) and image.np_dtype == np.uint8
        if is_picture and isinstance(label, tfds.features.ClassLabel):
            return keys
    raise ValueError(
        "A data set of TFDS must hold 8-bit images and class labels as its supervised keys. "
        f"Received: name={name!r}, supervised_keys={keys!r}"
    )


def _prepare(name, builder):
    """Download the data set unless it is on disk."""
    from tensorflow_datasets.core.download import downloader

    downloader.MAX_RETRIES = 3  # TFDS's 10 keep somebody who is offline waiting for 3 minutes
    try:
        builder.download_and_prepare()
    except ImportError:  # TFDS's own message names the package that is missing
        raise
    except Exception as error:  # no common base: requests, TFDS, the file system, the generator
        raise FileNotFoundError(
            f"Data set {name!r} is not in {builder.data_path} and could not be downloaded: set "
            "TFDS_DATA_DIR to a folder that holds it. "
            f"Received: TFDS_DATA_DIR={os.environ.get('TFDS_DATA_DIR')!r}"
        ) from error
