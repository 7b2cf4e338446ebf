"""Tokens through LitData: FOLDER with what tokens_for_litdata.py wrote."""

import sys

import litdata
import torch
from meter import measure

BLOCK = 2048


def main() -> None:
    torch.set_num_threads(1)
    dataset = litdata.StreamingDataset(
        f"{sys.argv[1]}/litdata", item_loader=litdata.TokensLoader(block_size=BLOCK), shuffle=True, seed=1
    )
    loader = litdata.StreamingDataLoader(dataset, batch_size=32, num_workers=2, persistent_workers=True)

    def epoch() -> int:
        return sum(batch.to(torch.int64).numel() for batch in loader)

    measure(epoch)


if __name__ == "__main__":
    main()
