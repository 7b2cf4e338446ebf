"""Images through torch's DataLoader, Pillow and torchvision's arithmetic: FOLDER with files."""

import math
import os
import random
import sys

import numpy as np
import torch
from meter import measure
from PIL import Image

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32).reshape(3, 1, 1)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32).reshape(3, 1, 1)


def random_crop(width: int, height: int) -> tuple[int, int, int, int]:
    """A box as torchvision's RandomResizedCrop draws it."""
    for _ in range(10):
        area = width * height * random.uniform(0.08, 1.0)
        ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = random.randint(0, width - w), random.randint(0, height - h)
            return left, top, left + w, top + h
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


class Photographs(torch.utils.data.Dataset):
    def __init__(self, folder: str) -> None:
        self.paths = [
            os.path.join(folder, cls, name) for cls in sorted(os.listdir(folder)) for name in sorted(os.listdir(f"{folder}/{cls}"))
        ]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        path = self.paths[index]
        image = Image.open(path).convert("RGB")
        image = image.resize((224, 224), Image.Resampling.BILINEAR, box=random_crop(*image.size))
        if random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = np.asarray(image, dtype=np.float32).transpose(2, 0, 1) / 255
        return torch.from_numpy((pixels - MEAN) / STD), int(os.path.basename(os.path.dirname(path)))


def main() -> None:
    torch.set_num_threads(1)
    loader = torch.utils.data.DataLoader(
        Photographs(f"{sys.argv[1]}/files"), batch_size=64, shuffle=True, num_workers=2, persistent_workers=True
    )

    def epoch() -> int:
        return sum(len(images) for images, _ in loader)

    measure(epoch)


if __name__ == "__main__":
    main()
