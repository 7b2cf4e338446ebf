"""Runs a command, and prints its exit code, the most memory it had, and what it wrote on standard error, as JSON."""

import json
import resource
import subprocess
import sys

done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
bytes_ = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(json.dumps({"bytes": bytes_, "code": done.returncode, "errors": done.stderr.decode(errors="replace")[:4000]}))
