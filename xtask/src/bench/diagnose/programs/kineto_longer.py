"""A trace made as many times longer as is asked: the same again and again, each time later, with numbers of its own."""

import gzip
import json
import sys

source, times, target = sys.argv[1], int(sys.argv[2]), sys.argv[3]
trace = json.load(gzip.open(source))
events = [event for event in trace.pop("traceEvents") if "dur" in event and "ts" in event]
first = min(event["ts"] for event in events)
span = max(event["ts"] + event["dur"] for event in events) - first + 1000
numbers = max(event["args"].get("correlation", 0) for event in events if "args" in event) + 1
with open(target, "w") as file:
    file.write(json.dumps(trace)[:-1] + ', "traceEvents": [\n')
    for time in range(times):
        for at, event in enumerate(events):
            event = dict(event, ts=event["ts"] + time * span)
            if "ProfilerStep#" in event["name"]:
                name, number = event["name"].split("#")
                event["name"] = f"{name}#{int(number) + 1000 * time}"
            if event.get("args", {}).get("correlation", -1) >= 0:
                event["args"] = dict(event["args"], correlation=event["args"]["correlation"] + time * numbers)
            file.write((",\n" if time or at else "") + json.dumps(event))
    file.write("\n]}\n")
