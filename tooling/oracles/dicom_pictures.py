"""Reference pictures for packages/data-climb/src/dicom: pydicom's value for some hundred combinations of photometric
interpretation, bits, sign, planar configuration, transfer syntax, VOI and modality transform. The test writes every file by
itself from the parameters; here pydicom writes, reads and transforms it.

    python tooling/oracles/dicom_pictures.py packages/data-climb/fixtures/dicom-pictures.json.gz

pydicom 3.0.2, numpy 2.4.6. Pixels come from the linear congruence x <- 1664525 x + 1013904223 mod 2**32, whose upper 16 bits are
taken; nothing else is random but the draw of combinations (seed 20261129).
"""
import base64, gzip, hashlib, io, itertools, json, random, sys, warnings
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_presentation_lut, apply_voi_lut
from pydicom.uid import UID

warnings.simplefilter("ignore")
ROWS, COLUMNS = 7, 8
SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "big": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
    "rle": "1.2.840.10008.1.2.5",
}


def numbers(seed, count, bits):
    x, out = seed, []
    for _ in range(count):
        x = (1664525 * x + 1013904223) % 2**32
        out.append((x >> 16) & (2**bits - 1))
    return out


def pixel_array(case):
    count = ROWS * COLUMNS * case["samples"]
    stored = np.array(numbers(case["seed"], count, min(case["stored"], 16)), dtype=np.int64)
    if case["signed"]:
        stored = np.where(stored >= 2 ** (case["stored"] - 1), stored - 2 ** case["stored"], stored)
    if case["junk"]:
        junk = np.array(numbers(case["seed"] + 1, count, case["allocated"] - case["stored"]), dtype=np.int64)
        stored = (stored & (2 ** case["stored"] - 1)) | (junk << case["stored"])
    kind = ("i" if case["signed"] else "u") + str(case["allocated"] // 8)
    return stored.astype(np.uint64).astype("u" + kind[1:]).view(kind) if case["junk"] else stored.astype(kind)


def table(case_table):
    n, bits = case_table["count"], case_table["bits"]
    x = np.arange(n) / (n - 1)
    curve = {"gamma": x**2, "falling": 1 - x, "steps": np.floor(x * 7) / 7}[case_table["curve"]]
    return np.floor(curve * (2**bits - 1) + 0.5).astype(np.uint16)


def lut_item(spec):
    item = Dataset()
    vr = "SS" if spec["first"] < 0 else "US"
    item.add_new(0x00283002, vr, [spec["count"], spec["first"], spec["bits"]])
    item.add_new(0x00283006, "US", table(spec).tolist())
    return item


def rle_frame(planes):
    """Literal runs only: any decoder takes them."""
    segments = []
    for plane in planes:
        out = b""
        for at in range(0, len(plane), 128):
            part = plane[at : at + 128]
            out += bytes([len(part) - 1]) + part
        segments.append(out + (b"\0" if len(out) % 2 else b""))
    offsets, at = [], 64
    for segment in segments:
        offsets.append(at)
        at += len(segment)
    head = np.array([len(segments)] + offsets + [0] * (15 - len(offsets)), dtype="<u4").tobytes()
    return head + b"".join(segments)


def dataset(case):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(SYNTAXES[case["syntax"]])
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = "2.25.1"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = case["samples"], case["photometric"]
    if case["samples"] == 3:
        ds.PlanarConfiguration = case["planar"]
    ds.Rows, ds.Columns = ROWS, COLUMNS
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = case["allocated"], case["stored"], case["stored"] - 1
    ds.PixelRepresentation = int(case["signed"])
    modality, voi = case["modality"], case["voi"]
    if modality["type"] == "rescale":
        ds.RescaleSlope, ds.RescaleIntercept = modality["slope"], modality["intercept"]
    if modality["type"] == "table":
        ds.ModalityLUTSequence = [lut_item(modality)]
        ds.ModalityLUTSequence[0].ModalityLUTType = "US"
    if voi["type"] == "window":
        ds.WindowCenter, ds.WindowWidth = voi["center"], voi["width"]
        if voi["shape"]:
            ds.VOILUTFunction = voi["shape"]
    if voi["type"] == "table":
        ds.VOILUTSequence = [lut_item(voi)]
    if case["shape"]:
        ds.PresentationLUTShape = case["shape"]
    if case["palette"]:
        palette = case["palette"]
        for channel, name in enumerate(("Red", "Green", "Blue")):
            setattr(ds, name + "PaletteColorLookupTableDescriptor", [palette["count"], palette["first"], palette["bits"]])
            ds[name + "PaletteColorLookupTableDescriptor"].VR = "SS" if palette["first"] < 0 else "US"
            values = palette_table(palette, channel)
            big = case["syntax"] == "big"
            data = values.astype((">" if big else "<") + "u2").tobytes() if palette["bits"] == 16 else values.astype(np.uint8).tobytes()
            setattr(ds, name + "PaletteColorLookupTableData", data)
    array = pixel_array(case)
    ds.PixelData = pixel_bytes(case, array)
    ds["PixelData"].VR = "OB" if case["allocated"] == 8 or case["syntax"] == "rle" else "OW"
    return ds


def palette_table(palette, channel):
    x = np.arange(palette["count"])
    levels = (x * (channel + 1) * 7 + channel * 50) % 256
    return levels * 257 if palette["bits"] == 16 else levels


def pixel_bytes(case, array):
    size = ROWS * COLUMNS
    if case["syntax"] == "rle":
        pixels = array.reshape(size, case["samples"])
        planes = []
        for sample in range(case["samples"]):
            raw = pixels[:, sample].astype(array.dtype.newbyteorder(">")).tobytes()
            planes += [raw[byte :: array.dtype.itemsize] for byte in range(array.dtype.itemsize)]
        return encapsulate([rle_frame(planes)], has_bot=False)
    if case["photometric"] == "YBR_FULL_422":
        # Y Y Cb Cr of every two pixels, taken from the numbers as they come.
        array = array.ravel()[: size // 2 * 4]
    elif case["planar"]:
        array = array.reshape(size, 3).T.copy()
    data = array.astype(array.dtype.newbyteorder(">" if case["syntax"] == "big" else "<")).tobytes()
    return data + (b"\0" if len(data) % 2 else b"")


def levels(case, ds):
    stored = ds.pixel_array
    if case["palette"]:
        colours = apply_color_lut(stored, ds)
        return stored, stored.astype(np.float64), (colours >> (8 if colours.dtype.itemsize == 2 else 0)).astype(np.uint8)
    if case["samples"] == 3:
        return stored, stored.astype(np.float64), (stored >> max(0, case["stored"] - 8)).astype(np.uint8)
    # Wide numbers: in those of the pixels, pydicom's difference to the first mapped value overflows.
    physical = apply_modality_lut(stored.astype(np.int64), ds)
    if physical.dtype.kind == "u":
        physical = physical.astype(np.int64)
    voi = case["voi"]
    if voi["type"] == "none":
        low, high = float(physical.min()), float(physical.max())
        shade = (physical.astype(np.float64) - low) / (high - low)
    elif voi["type"] == "table":
        shade = apply_voi_lut(physical, ds).astype(np.float64) / (2 ** voi["bits"] - 1)
    else:
        out = apply_voi_lut(physical, ds)
        if case["modality"]["type"] == "table":
            y0, y1 = 0.0, 2.0 ** case["modality"]["bits"] - 1
        else:
            y0 = -(2.0 ** (case["stored"] - 1)) if case["signed"] else 0.0
            y1 = y0 + 2.0 ** case["stored"] - 1
        if case["modality"]["type"] == "rescale":
            y0, y1 = (y * case["modality"]["slope"] + case["modality"]["intercept"] for y in (y0, y1))
        shade = (out - y0) / (y1 - y0)
    if case["shape"] or case["photometric"] == "MONOCHROME1":
        if case["shape"] == "INVERSE" or case["photometric"] == "MONOCHROME1":
            return stored, physical.astype(np.float64), 255 - grey(shade)
    return stored, physical.astype(np.float64), grey(shade)


def grey(shade):
    scaled = np.clip(shade, 0, 1) * 255
    assert np.min(np.abs(scaled - np.floor(scaled) - 0.5)) > 1e-9, "a tie: choose other numbers"
    return np.floor(scaled + 0.5).astype(np.uint8)


NONE = {"type": "none"}


def grey_cases(draw):
    bits = [(8, 8), (8, 6), (16, 10), (16, 12), (16, 16), (32, 32)]
    for photometric, (allocated, stored), signed, syntax, kind, modality in itertools.product(
        ("MONOCHROME1", "MONOCHROME2"), bits, (False, True), SYNTAXES, ("none", "LINEAR", "", "LINEAR_EXACT", "SIGMOID", "table"), ("none", "rescale", "table")
    ):
        if draw.random() > 0.22:
            continue
        width = 2 ** min(stored, 16)
        low = -width // 2 if signed else 0
        if stored == 32 and (modality == "table" or kind == "table"):
            continue
        m = NONE
        if modality == "rescale":
            m = {"type": "rescale", "slope": draw.choice([1, 2, 0.3]), "intercept": draw.choice([0, -1024, 7.5])}
        elif modality == "table":
            m = {"type": "table", "count": min(width, 500), "first": low + draw.choice([0, 3]), "bits": draw.choice([8, 16]), "curve": draw.choice(["gamma", "falling"])}
            if m["bits"] == 8:
                m["count"] = min(m["count"], 256)
        lo, hi = (0, 2 ** m["bits"] - 1) if m["type"] == "table" else (low, low + width - 1)
        if m["type"] == "rescale":
            lo, hi = lo * m["slope"] + m["intercept"], hi * m["slope"] + m["intercept"]
        span = hi - lo
        v = NONE
        if kind == "table":
            count = min(4000, max(2, int(span)))
            first = int(lo + 0.1 * span)
            if not -32768 <= first <= (32767 if signed else 65535) or (first < 0 and not signed and syntax == "implicit"):
                continue
            v = {"type": "table", "count": count, "first": first, "bits": draw.choice([10, 12, 16]), "curve": draw.choice(["gamma", "falling", "steps"])}
        elif kind != "none":
            v = {"type": "window", "center": round(lo + span * draw.uniform(0.3, 0.6) + 0.123, 3), "width": round(max(2.217, span * draw.uniform(0.2, 0.8)), 3), "shape": kind}
        yield {
            "photometric": photometric, "samples": 1, "allocated": allocated, "stored": stored, "signed": signed, "planar": 0, "syntax": syntax,
            "modality": m, "voi": v, "shape": draw.choice([None, None, "IDENTITY", "INVERSE"]), "palette": None,
            "junk": allocated == 16 and stored < 16 and draw.random() < 0.3,
        }


def colour_cases():
    base = {"modality": NONE, "voi": NONE, "shape": None, "palette": None, "junk": False, "signed": False}
    for photometric, planar, syntax, (allocated, stored) in itertools.product(("RGB", "YBR_FULL"), (0, 1), SYNTAXES, ((8, 8), (16, 16), (16, 12))):
        if photometric != "RGB" and stored != 8:
            continue
        yield {**base, "photometric": photometric, "samples": 3, "allocated": allocated, "stored": stored, "planar": planar, "syntax": syntax}
    for syntax in ("implicit", "explicit", "big", "deflated"):
        yield {**base, "photometric": "YBR_FULL_422", "samples": 3, "allocated": 8, "stored": 8, "planar": 0, "syntax": syntax}
    for (allocated, stored), signed, bits, syntax, first in itertools.product(((8, 8), (16, 10)), (False, True), (8, 16), SYNTAXES, (0, 5, -20)):
        # Indexes beyond 255 overflow in pydicom's tables of 8 bits.
        if first < 0 and not signed or (bits == 8 and (syntax == "big" or stored > 8)):
            continue
        palette = {"count": 200 if stored == 8 else 256, "first": first, "bits": bits}
        yield {**base, "photometric": "PALETTE COLOR", "samples": 1, "allocated": allocated, "stored": stored, "signed": signed, "planar": 0, "syntax": syntax, "palette": palette}


def main(target):
    draw = random.Random(20261129)
    cases, left_out = [], 0
    for seed, case in enumerate(itertools.chain(grey_cases(draw), colour_cases())):
        case["seed"] = 1000 + 2 * seed
        buffer = io.BytesIO()
        ds = dataset(case)
        big, implicit = case["syntax"] == "big", case["syntax"] == "implicit"
        if case["syntax"] == "rle":
            ds["PixelData"].is_undefined_length = True
        ds.save_as(buffer, little_endian=not big, implicit_vr=implicit, enforce_file_format=True)
        read = pydicom.dcmread(io.BytesIO(buffer.getvalue()))
        try:
            stored, physical, shown = levels(case, read)
        except AssertionError:
            left_out += 1
            continue
        sha = lambda array: hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]
        case["want"] = {
            "stored": sha(stored.astype(stored.dtype.newbyteorder("<"))),
            "physical": sha(physical.astype("<f8")),
            "shown": base64.b64encode(np.ascontiguousarray(shown).tobytes()).decode(),
        }
        cases.append(case)
    text = json.dumps({"rows": ROWS, "columns": COLUMNS, "pydicom": pydicom.__version__, "cases": cases}, separators=(",", ":"))
    with open(target, "wb") as out:
        out.write(gzip.compress(text.encode(), mtime=0))
    print(len(cases), "cases,", left_out, "left out as ties")


main(sys.argv[1])
