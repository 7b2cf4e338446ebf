"""Writes shards of pictures of 20 MB each, PNG and JPEG, to a FOLDER, unless they lie there."""

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
noise = np.random.default_rng(1)
for name, (height, width), options in (
    ("png", (2580, 2580), {"compress_level": 0}),
    ("jpg", (3800, 5000), {"quality": 93}),
):
    path = folder / f"{name}.tar"
    if path.exists():
        continue
    picture = io.BytesIO()
    pixels = noise.integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(picture, "JPEG" if name == "jpg" else "PNG", **options)
    with tarfile.open(path.with_suffix(".part"), "w") as tar:
        for number in range(20):
            info = tarfile.TarInfo(f"{number:02}.{name}")
            info.size = picture.getbuffer().nbytes
            tar.addfile(info, io.BytesIO(picture.getvalue()))
    path.with_suffix(".part").rename(path)
print("written")
