"""Ctrl-C ends the wait for a batch."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import time

import PIL.Image
from conftest import write_tar

PROGRAM = """
import signal
import sys
import trimtab as tt

# Whoever starts this may have it ignored, as shells do with what runs in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)

loader = tt.Loader(sys.argv[1], batch_size=64, columns={"image": tt.Image("png", size=8)}, threads=2)
print("waiting", flush=True)
next(iter(loader))
"""


def test_ctrl_c_ends_the_wait_for_a_batch(tmp_path):
    # Some tenths of a second each: the batch takes far longer than what is waited for here.
    buffer = io.BytesIO()
    PIL.Image.new("L", (8000, 8000)).save(buffer, "PNG")
    path = write_tar(tmp_path / "large.tar", {f"{number:03}.png": buffer.getvalue() for number in range(200)})
    command = [sys.executable, "-c", PROGRAM, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "waiting\n"
        time.sleep(0.5)
        assert process.poll() is None, "the batch came before it was interrupted"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in said and process.returncode != 0
