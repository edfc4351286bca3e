"""Pixels of single files as viewers show them, and errors that name the file."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgen.data import decoding, pictures


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)


@pytest.fixture
def decoded(tmp_path):
    """A function that saves a picture with Pillow's options and reads it again."""

    def read(picture, name="a.png", **options):
        picture.save(tmp_path / name, **options)
        pixels = decoding.decode(tmp_path / name)
        assert decoding.header(tmp_path / name) == pixels.shape
        return pixels

    return read


def _green_square_on_nothing(mode):
    """Black or red pixels hidden under alpha 0, with a green square in the middle."""
    picture = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    picture.paste((0, 255, 0, 255), (2, 2, 6, 6))
    return picture if mode == "RGBA" else picture.convert(mode)


class TestOrientation:
    SEEN = {  # what a viewer makes of the stored rows x
        1: lambda x: x,
        2: lambda x: x[:, ::-1],
        3: lambda x: x[::-1, ::-1],
        4: lambda x: x[::-1],
        5: lambda x: x.swapaxes(0, 1),
        6: lambda x: x[::-1].swapaxes(0, 1),
        7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
        8: lambda x: x[:, ::-1].swapaxes(0, 1),
    }

    @pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
    @pytest.mark.parametrize("orientation", SEEN)
    def test_is_turned_as_seen(self, decoded, pixels, orientation, suffix):
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {"exif": exif, "lossless": True} if suffix == "webp" else {"exif": exif}
        x = decoded(Image.fromarray(pixels), f"a.{suffix}", **options)
        np.testing.assert_array_equal(x, self.SEEN[orientation](pixels))

    @pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"nothing"])
    def test_broken_metadata_are_passed_over(self, decoded, pixels, exif):
        np.testing.assert_array_equal(decoded(Image.fromarray(pixels), exif=exif), pixels)


class TestTransparency:
    @pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
    def test_is_white(self, decoded, name):
        options = {"lossless": True, "exact": True} if name == "a.webp" else {}
        x = decoded(_green_square_on_nothing("RGBA"), name, **options)
        assert x[0, 0].tolist() == [255, 255, 255]
        assert x[3, 3].tolist() == [0, 255, 0]

    def test_of_gray_stays_gray(self, decoded):
        x = decoded(Image.fromarray(np.array([[[100, 0], [100, 51], [100, 255]]], np.uint8)))
        assert x[..., 0].tolist() == [[255, 224, 100]]  # 224 = (100 * 51 + 255 * 204) / 255

    def test_of_one_color_of_a_palette(self, decoded):
        picture = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
        picture.putpalette([255, 0, 0, 0, 255, 0])
        for name in ("a.png", "a.gif"):
            x = decoded(picture, name, transparency=0)
            assert x[0].tolist() == [[255, 255, 255], [0, 255, 0]]

    def test_of_one_gray_and_one_color(self, decoded):
        grays = Image.fromarray(np.array([[3, 7]], np.uint8))
        assert decoded(grays, transparency=3).ravel().tolist() == [255, 7]
        colors = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
        assert decoded(colors, transparency=(1, 2, 3))[0].tolist() == [[255] * 3, [4, 5, 6]]

    def test_is_the_same_in_tensorflow(self):
        x, alpha = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
        both = np.stack([x, 255 - x, alpha], axis=-1)
        np.testing.assert_array_equal(pictures.opaque(tf.constant(both)), decoding.opaque(both))
        exact = np.rint(x * (alpha / 255) + 255 - alpha)
        np.testing.assert_array_equal(decoding.opaque(both)[..., 0], exact)


class TestDepth:
    @pytest.mark.parametrize(("name", "order"), [("a.png", "<"), ("a.tif", "<"), ("b.tif", ">")])
    def test_sixteen_bits_of_gray_keep_the_high_byte(self, decoded, name, order):
        grays = np.array([[0, 255, 256, 40000, 65535]], np.uint16)
        x = decoded(Image.fromarray(grays.astype(f"{order}u2")), name)
        assert x.ravel().tolist() == [0, 0, 1, 156, 255]

    def test_sixteen_bits_of_color_keep_the_high_byte(self, tmp_path):
        colors = tf.constant([[[0, 255, 256], [40000, 65535, 1]]], tf.uint16)
        tf.io.write_file(str(tmp_path / "a.png"), tf.io.encode_png(colors))
        assert decoding.decode(tmp_path / "a.png")[0].tolist() == [[0, 0, 1], [156, 255, 0]]

    def test_one_bit(self, decoded):
        assert decoded(Image.fromarray(np.array([[True, False]]))).ravel().tolist() == [255, 0]

    @pytest.mark.parametrize("dtype", ["int32", "float32"])
    def test_others_have_no_white(self, tmp_path, dtype):
        Image.fromarray(np.zeros((2, 2), dtype)).save(tmp_path / "a.tif")
        with pytest.raises(ValueError, match=r"8 or 16 bits.*Received: '.*a\.tif', mode '[IF]'"):
            decoding.decode(tmp_path / "a.tif")


class TestColor:
    def test_palette(self, decoded):
        picture = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
        picture.putpalette([255, 0, 0, 0, 255, 0])
        assert decoded(picture)[0].tolist() == [[255, 0, 0], [0, 255, 0]]

    @pytest.mark.parametrize("name", ["a.jpg", "a.tif"])  # Adobe's JPEGs hold their ink inverted
    def test_ink(self, decoded, name):
        x = decoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), name)
        assert np.abs(x.astype(int) - (0, 255, 255)).max() <= 2

    def test_first_of_an_animation(self, decoded):
        frames = [Image.new("RGB", (4, 4), color) for color in ("red", "lime")]
        for name in ("a.gif", "a.png", "a.webp", "a.tif"):
            options = {"lossless": True} if name == "a.webp" else {}
            x = decoded(frames[0], name, save_all=True, append_images=frames[1:], **options)
            assert x[0, 0].tolist() == [255, 0, 0], name


class TestRefuses:
    """In a sentence with the file's name, whatever Pillow raises."""

    @pytest.mark.parametrize("sides", [(20000, 9500), (12000, 9500)])  # Pillow raises, Pillow warns
    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    def test_huge_pictures(self, tmp_path, sides):
        Image.new("1", sides).save(tmp_path / "scan.png")
        for read in (decoding.header, decoding.decode):
            with pytest.raises(ValueError, match=r"at most 89,478,485 pixels.*scan\.png"):
                read(tmp_path / "scan.png")

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "an empty file"),
            (b"not a picture", "whose content is of no format that is read"),
            (b"<html>404</html>", "whose content is of no format that is read"),
            (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no format that is read"),
        ],
    )
    def test_other_content(self, tmp_path, content, reason):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(ValueError, match=rf"readable. Received: '.*a\.png', .*{reason}"):
            decoding.header(tmp_path / "a.png")

    @pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "tif", "bmp"])
    def test_files_cut_short(self, tmp_path, suffix):
        path = tmp_path / f"a.{suffix}"
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:1000])
        with pytest.raises(ValueError, match=rf"readable. Received: '.*a\.{suffix}', "):
            decoding.decode(path)

    def test_broken_links_and_files_without_permission(self, tmp_path, monkeypatch):
        (tmp_path / "a.png").symlink_to("nowhere")
        with pytest.raises(ValueError, match=r"readable. Received: '.*a\.png', No such file"):
            decoding.decode(tmp_path / "a.png")

        def refuse(*arguments, **options):  # root may read any file
            raise PermissionError(13, "Permission denied")

        Image.new("L", (2, 2)).save(tmp_path / "b.png")
        monkeypatch.setattr(Image, "open", refuse)
        with pytest.raises(ValueError, match=r"readable. Received: '.*b\.png', Permission denied"):
            decoding.decode(tmp_path / "b.png")
