"""Small pictures of every mode and format that Pillow writes, with what a model sees of them by the processor of transformers 5:
transparent parts on white, then RGB. For packages/data-climb.

    python tooling/oracles/pictures.py packages/data-climb/fixtures/pictures.json.gz

Pillow 13.0.0, numpy 2.4.6; transformers 5.24.0's `convert_to_rgb`, which is written out here.
"""
import base64, gzip, hashlib, io, json, sys, warnings
import numpy as np
from PIL import Image

warnings.simplefilter("ignore")
y, x = np.mgrid[:18, :25]
rgb = np.stack([x * 10, y * 14, (x + y) * 6], -1).astype(np.uint8)
grey, alpha = rgb[..., 0], (x * 10).astype(np.uint8)
cmyk, rgba, la = np.dstack([rgb, alpha]), np.dstack([rgb, alpha]), np.dstack([grey, alpha])


def seen(image):
    if "A" in image.getbands() or image.info.get("transparency") is not None:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"))


def pictures():
    colour, one, few = Image.fromarray(rgb), Image.fromarray(grey > 100), Image.fromarray(rgb).quantize(16)
    modes = {"RGB": colour, "L": Image.fromarray(grey), "1": one, "P": few}
    for mode, image in {**modes, "RGBA": Image.fromarray(rgba), "LA": Image.fromarray(la, "LA")}.items():
        yield f"PNG {mode}", image, "PNG", {}
    yield "PNG P with a transparent index", few, "PNG", {"transparency": 3}
    yield "PNG L with a transparent level", Image.fromarray(grey), "PNG", {"transparency": 100}
    yield "PNG RGB with a transparent colour", colour, "PNG", {"transparency": (0, 0, 0)}
    for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield f"TIFF RGB {compression}", colour, "TIFF", {"compression": compression}
    for mode, image in {**modes, "CMYK": Image.fromarray(cmyk, "CMYK"), "RGBA": Image.fromarray(rgba)}.items():
        yield f"TIFF {mode}", image, "TIFF", {}
    yield "TIFF 1, group 4", one, "TIFF", {"compression": "group4"}
    for mode, image in {**modes, "RGBA": Image.fromarray(rgba)}.items():
        yield f"BMP {mode}", image, "BMP", {}
    yield "GIF P", few, "GIF", {}
    yield "GIF P with a transparent index", few, "GIF", {"transparency": 3}
    yield "WebP RGB", colour, "WEBP", {"lossless": True}
    yield "WebP RGBA", Image.fromarray(rgba), "WEBP", {"lossless": True, "exact": True}
    yield "JPEG L", Image.fromarray(grey), "JPEG", {"quality": 95}
    yield "JPEG RGB", colour, "JPEG", {"quality": 95, "subsampling": 0}
    yield "JPEG RGB, progressive", colour, "JPEG", {"quality": 95, "subsampling": 0, "progressive": True}
    yield "JPEG CMYK", Image.fromarray(cmyk, "CMYK"), "JPEG", {"quality": 95, "subsampling": 0}


out = []
for name, image, format, options in pictures():
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    want = np.ascontiguousarray(seen(Image.open(io.BytesIO(buffer.getvalue()))))
    out.append({"name": name, "file": base64.b64encode(buffer.getvalue()).decode(), "sha256": hashlib.sha256(want.tobytes()).hexdigest()})
with open(sys.argv[1], "wb") as target:
    target.write(gzip.compress(json.dumps(out, separators=(",", ":")).encode(), mtime=0))
print(len(out), "pictures")
