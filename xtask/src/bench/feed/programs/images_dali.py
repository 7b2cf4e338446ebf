"""Images through DALI on the processor: FOLDER with files."""

import sys

import numpy as np
from meter import measure
from nvidia.dali import fn, pipeline_def, types


@pipeline_def(batch_size=64, num_threads=2, device_id=None, seed=1)
def pipeline():
    files, labels = fn.readers.file(file_root=f"{sys.argv[1]}/files", random_shuffle=True, name="reader")
    images = fn.decoders.image_random_crop(
        files, device="cpu", output_type=types.RGB, random_area=[0.08, 1.0], random_aspect_ratio=[3 / 4, 4 / 3]
    )
    images = fn.resize(images, size=[224, 224], interp_type=types.INTERP_LINEAR, antialias=True)
    images = fn.crop_mirror_normalize(
        images,
        dtype=types.FLOAT,
        output_layout="CHW",
        mirror=fn.random.coin_flip(probability=0.5),
        mean=[255 * mean for mean in (0.485, 0.456, 0.406)],
        std=[255 * std for std in (0.229, 0.224, 0.225)],
    )
    return images, labels


made = pipeline()
made.build()
size = made.epoch_size("reader")


def epoch() -> int:
    count = 0
    while count < size:
        images, labels = made.run()
        count += np.asarray(images.as_tensor()).shape[0]
    return count


measure(epoch)
