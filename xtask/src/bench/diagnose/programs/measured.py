"""Runs a command to its end, and prints what it took: seconds of the clock, and the most memory in bytes."""

import json
import os
import subprocess
import sys
import time

begun = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
errors = child.stderr.read()
_, status, usage = os.wait4(child.pid, 0)
seconds = time.monotonic() - begun
if status != 0:
    sys.exit(errors.decode(errors="replace"))
print(json.dumps({"seconds": seconds, "bytes": usage.ru_maxrss * 1024}))
