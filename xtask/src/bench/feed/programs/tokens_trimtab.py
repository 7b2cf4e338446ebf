"""Tokens through trimtab, as torch takes them: FOLDER with tokens.bin."""

import sys

import torch
import trimtab as tt
from meter import measure

torch.set_num_threads(1)
loader = tt.Loader(
    f"{sys.argv[1]}/tokens.bin",
    batch_size=32,
    columns={"tokens": tt.Tokens(2048)},
    threads=2,
    output="torch",
    rank=0,
    world_size=1,
)


def epoch() -> int:
    count = 0
    for batch in loader:
        tokens = batch["tokens"]
        assert tokens.dtype == torch.int64
        count += tokens.numel()
    return count


measure(epoch)
