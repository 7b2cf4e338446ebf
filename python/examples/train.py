"""Trains a small network on photographs in WebDataset files, and says where the time went.

    python train.py 'shards/*.tar' --epochs 3

Stopped at any step, it goes on from there when it is started again: what it keeps is one small file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import trimtab as tt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="files, such as 'shards/*.tar', with a jpg and a cls for each sample")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--kept", type=Path, default=Path("train.pt"), help="where the state is kept")
    options = parser.parse_args()

    loader = tt.Loader(
        options.data,
        batch_size=32,
        columns={
            "image": tt.Image("jpg", size=64, crop=tt.RandomCrop(), flip=0.5, mean=tt.IMAGENET_MEAN, std=tt.IMAGENET_STD),
            "label": tt.Integer("cls"),
        },
        output="torch",
        decoded_cache=1 << 30,
    )
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 32, 5, stride=2), torch.nn.ReLU(), torch.nn.Conv2d(32, 64, 5, stride=2), torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(1024, options.classes),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    clock = tt.StepClock().attach(model=model, optimizer=optimizer)
    epoch = 0
    if options.kept.exists():
        kept = torch.load(options.kept)
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        loader.load_state_dict(kept["loader"])
        epoch = kept["loader"]["epoch"]

    for epoch in range(epoch, options.epochs):
        losses = []
        for batch in clock.steps(loader):
            loss = torch.nn.functional.cross_entropy(model(batch["image"]), batch["label"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch}: loss {sum(losses) / len(losses):.3f}")
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "loader": loader.state_dict()}
        torch.save(state, options.kept)
    print(loader.report())
    print(clock.summary())


if __name__ == "__main__":
    main()
