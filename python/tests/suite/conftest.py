"""What the tests share: photographs, tokens, and files that are broken."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def images() -> Path:
    """A folder with four WebDataset files of a hundred photographs each."""
    return Path(os.environ["TRIMTAB_TEST_IMAGES"])


@pytest.fixture()
def tokens(tmp_path: Path) -> Path:
    """A thousand samples of eight tokens; each sample's tokens are its number."""
    path = tmp_path / "tokens.bin"
    np.repeat(np.arange(1000, dtype=np.uint16), 8).tofile(path)
    return path


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path
