"""The stubs say what the compiled module is."""

from __future__ import annotations

import subprocess
import sys


def test_stubs_and_module_agree():
    ran = subprocess.run([sys.executable, "-m", "mypy.stubtest", "trimtab"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_package_is_typed_throughout():
    import trimtab

    package = trimtab.__path__[0]
    command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "-p", "trimtab"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=package + "/..")
    assert ran.returncode == 0, ran.stdout + ran.stderr
