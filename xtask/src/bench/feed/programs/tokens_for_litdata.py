"""Writes tokens.bin of a FOLDER as LitData keeps tokens: in chunks of 8,192 samples."""

import shutil
import sys
from pathlib import Path

import litdata
import numpy as np
import torch

FOLDER = Path(sys.argv[1])
BLOCK = 2048
PIECE = 64 * BLOCK


def pieces(start: int):
    tokens = np.fromfile(FOLDER / "tokens.bin", dtype=np.uint16, count=PIECE, offset=2 * start)
    yield torch.from_numpy(tokens.astype(np.int32)).to(torch.uint16)


if __name__ == "__main__":
    output = FOLDER / "litdata"
    if output.exists():
        shutil.rmtree(output)
    count = (FOLDER / "tokens.bin").stat().st_size // 2
    litdata.optimize(
        fn=pieces,
        inputs=list(range(0, count, PIECE)),
        output_dir=str(output),
        chunk_size=8192 * BLOCK,
        item_loader=litdata.TokensLoader(),
        num_workers=2,
    )
    print("done")
