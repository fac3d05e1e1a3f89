"""Small DICOM files in compressed transfer syntaxes with pydicom's values, for packages/data-climb/src/dicom.

    node tooling/oracles/write-htj2k.mjs /tmp/htj2k
    python tooling/oracles/dicom_compressed.py /tmp/htj2k packages/data-climb/fixtures/dicom-compressed.json.gz

pydicom 3.0.2, pyjpegls 1.5.1, pylibjpeg-openjpeg 2.6.0, Pillow 13.0.0, numpy 2.4.6; OpenJPH 2.4.11 through @cornerstonejs/codec-openjph. Seed 5.
"""
import base64, gzip, hashlib, io, json, sys, warnings
from pathlib import Path
import jpeg_ls
import numpy as np
import openjpeg
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array

warnings.simplefilter("ignore")
ROWS, COLUMNS = 32, 36
JPEG, JPEG_LS, J2K, HTJ2K = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201"
rng = np.random.default_rng(5)


def grey(bits, signed):
    low = -(2 ** (bits - 1)) if signed else 0
    kind = ("i" if signed else "u") + ("1" if bits <= 8 else "2")
    return rng.integers(low, low + 2**bits, (ROWS, COLUMNS)).astype(kind)


def smooth_rgb():
    y, x = np.mgrid[:ROWS, :COLUMNS]
    return np.stack([x * 7, y * 8, (x + y) * 3], axis=-1).astype(np.uint8)


def unsigned(array, bits):
    return (array.astype(np.int64) & (2**bits - 1)).astype("u" + str(array.dtype.itemsize))


def file(stream, syntax, *, photometric="MONOCHROME2", samples=1, allocated=16, stored=16, signed=False):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = "2.25.1"
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.Rows, ds.Columns = samples, photometric, ROWS, COLUMNS
    if samples == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = allocated, stored, stored - 1, int(signed)
    ds.PixelData = encapsulate([bytes(stream)])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def jpeg(array, *, strip_jfif=False, **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=95, **options)
    stream = buffer.getvalue()
    if strip_jfif and stream[2:4] == b"\xff\xe0":
        stream = stream[:2] + stream[4 + int.from_bytes(stream[4:6], "big") :]
    return stream


def files(htj2k):
    for bits, signed in ((8, False), (8, True), (12, False), (12, True), (16, False), (16, True)):
        array = grey(bits, signed)
        tags = {"allocated": 8 if bits == 8 else 16, "stored": bits, "signed": signed}
        name = f"{bits} bits, {'signed' if signed else 'unsigned'}"
        yield f"JPEG-LS, {name}", file(jpeg_ls.encode_array(unsigned(array, bits)), JPEG_LS, **tags), True
        yield f"JPEG 2000, {name}", file(openjpeg.encode(array, bits_stored=bits), J2K, **tags), True
        if signed:
            stream = openjpeg.encode(unsigned(array, bits), bits_stored=bits)
            yield f"JPEG 2000, {name}, in a stream without sign", file(stream, J2K, **tags), True
        else:
            # The same bits with the highest one as a sign.
            negative = np.where(array >= 2 ** (bits - 1), array.astype(np.int64) - 2**bits, array)
            stream = openjpeg.encode(negative.astype(array.dtype.str.replace("u", "i")), bits_stored=bits)
            yield f"JPEG 2000, {name}, in a stream with sign", file(stream, J2K, **tags), True
    yield "JPEG-LS, 8 bits in 16", file(jpeg_ls.encode_array(grey(8, False)), JPEG_LS, allocated=16, stored=8), True
    rgb = smooth_rgb()
    colour = {"samples": 3, "allocated": 8, "stored": 8}
    planes = np.ascontiguousarray(rgb.transpose(2, 0, 1))
    for mode, array in ((0, planes), (1, rgb), (2, rgb)):
        stream = jpeg_ls.encode_buffer(np.ascontiguousarray(array).tobytes(), ROWS, COLUMNS, 3, 8, interleave_mode=mode)
        yield f"JPEG-LS, RGB, interleaved by {('plane', 'line', 'pixel')[mode]}", file(stream, JPEG_LS, photometric="RGB", **colour), True
    yield "JPEG-LS, YBR_FULL", file(jpeg_ls.encode_array(rgb, interleave_mode=2), JPEG_LS, photometric="YBR_FULL", **colour), True
    yield "JPEG 2000, YBR_RCT", file(openjpeg.encode(rgb, photometric_interpretation=1), J2K, photometric="YBR_RCT", **colour), True
    yield "JPEG 2000, RGB without transform", file(openjpeg.encode(rgb, photometric_interpretation=1, use_mct=False), J2K, photometric="RGB", **colour), True
    yield "JPEG 2000, YBR_FULL", file(openjpeg.encode(rgb, photometric_interpretation=3), J2K, photometric="YBR_FULL", **colour), True
    yield "JPEG, RGB tag on a JFIF stream", file(jpeg(rgb, subsampling=0), JPEG, photometric="RGB", **colour), False
    yield "JPEG, YBR_FULL_422", file(jpeg(rgb, subsampling=1), JPEG, photometric="YBR_FULL_422", **colour), False
    yield "JPEG, YBR_FULL without markers", file(jpeg(rgb, subsampling=0, strip_jfif=True), JPEG, photometric="YBR_FULL", **colour), False
    yield "JPEG, RGB by its component names", file(jpeg(rgb, subsampling=0, keep_rgb=True), JPEG, photometric="YBR_FULL", **colour), False
    yield "JPEG, grey", file(jpeg(rgb[..., 0]), JPEG, allocated=8, stored=8), False
    yield "JPEG, grey, progressive", file(jpeg(rgb[..., 0], progressive=True), JPEG, allocated=8, stored=8), False
    for name, tags in (
        ("grey-8", {"allocated": 8, "stored": 8}),
        ("grey-8-signed", {"allocated": 8, "stored": 8, "signed": True}),
        ("grey-12", {"stored": 12}),
        ("grey-16-signed", {"signed": True}),
        ("rgb", {**colour, "photometric": "YBR_RCT"}),
    ):
        yield f"HTJ2K, {name}", file((htj2k / f"{name}.jph").read_bytes(), HTJ2K, **tags), True


def main(htj2k, target):
    out = []
    for name, content, exact in files(Path(htj2k)):
        array = np.ascontiguousarray(pixel_array(io.BytesIO(content)))
        out.append({
            "name": name,
            "file": base64.b64encode(content).decode(),
            "dtype": str(array.dtype),
            "shape": list(array.shape),
            **({"sha256": hashlib.sha256(array.tobytes()).hexdigest()} if exact else {"pixels": base64.b64encode(array.tobytes()).decode()}),
        })
        print(name, array.dtype, array.shape, hashlib.sha256(array.tobytes()).hexdigest()[:8])
    with open(target, "wb") as written:
        written.write(gzip.compress(json.dumps(out, separators=(",", ":")).encode(), mtime=0))


main(*sys.argv[1:])
