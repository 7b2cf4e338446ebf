"""Examples that need nothing but the package: no devices, no torch, no data."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from step_agent import Agent

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_ranks_tell_their_steps_and_learn_together():
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        agent = Agent(Path(folder) / "steps.sock")
        options = ["--ranks", "3", "--steps", "40", "--wait", "0.001"]
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / "ranks.py"), *options],
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"TRIMTAB_STEPS": str(agent.path)},
        )
        assert done.returncode == 0, done.stderr
        for number in range(3):
            told = agent.connection(number)
            assert told.is_over.wait(60)
            assert len(told.steps(40)) == 40
            assert all(step["communication"] > 0 for step in told.steps(40))
        hellos = {agent.connection(number).lines[0].split(" pid=")[0] for number in range(3)}
        agent.close()
    assert len(hellos) == 3 and len({hello.split(" rank=")[0] for hello in hellos}) == 1, hellos
    loss = next(line for line in done.stdout.splitlines() if line.startswith("loss "))
    # Weights of nothing have a loss of 22; these have learnt together.
    assert float(loss.split()[1]) < 0.1, loss
