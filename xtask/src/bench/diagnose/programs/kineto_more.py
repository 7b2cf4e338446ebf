"""What HolisticTraceAnalysis says of launches, queues and the critical path of the first step, as JSON.

Its tables are sorted by moments, and equal ones come out as the sort at hand leaves them: queues then differ from machine to machine. Here
equal moments keep their order, launches before beginnings, which is the order that its tables are put together in.
"""

import contextlib
import json
import sys

import pandas

sort_values = pandas.DataFrame.sort_values
pandas.DataFrame.sort_values = lambda table, *given, **named: sort_values(table, *given, **{"kind": "stable", **named})

from hta.trace_analysis import TraceAnalysis  # noqa: E402

RUNTIME_CUTOFF, LAUNCH_DELAY_CUTOFF = 50, 100


def spread(described):
    names = {"count": "count", "mean": "mean", "std": "deviation", "min": "min", "25%": "p25", "50%": "p50", "75%": "p75", "max": "max"}
    return {ours: float(described[theirs]) for theirs, ours in names.items() if described[theirs] == described[theirs]}


def launches(analysis):
    table = analysis.get_cuda_kernel_launch_stats(ranks=[0], visualize=False)[0]
    host, device, delay = table["cpu_duration"], table["gpu_duration"], table["launch_delay"]
    return {
        "host_us": spread(host.describe()),
        "device_us": spread(device.describe()),
        "delay_us": spread(delay.describe()),
        "short": int(((host <= RUNTIME_CUTOFF) & (device < host)).sum()),
        "long": int((host > RUNTIME_CUTOFF).sum()),
        "late": int((delay > LAUNCH_DELAY_CUTOFF).sum()),
    }


def queues(analysis):
    series = analysis.get_queue_length_time_series(ranks=[0])
    summary = analysis.get_queue_length_summary(ranks=[0])
    told = []
    for (_, stream), row in summary.iterrows():
        # One stream at a time: of several, the last would be told.
        full = analysis.get_time_spent_blocked_on_full_queue({0: series[0][series[0].stream == stream].copy()})
        told.append(
            {
                "stream": int(stream),
                "length": spread(row["queue_length"]),
                "full_us": float(full["duration_at_max_queue_length"].sum()) if full is not None else 0.0,
            }
        )
    return told


def critical_path(analysis):
    try:
        graph, whole = analysis.critical_path_analysis(rank=0, annotation="ProfilerStep", instance_id=0)
        if not whole:
            return {"failed": "its graph has no longest path"}
        edges = graph.get_critical_path_breakdown()
    except Exception as error:  # Whatever it is, the bar tells that there is nothing to compare with.
        return {"failed": f"{type(error).__name__}: {error}"}
    by = edges.groupby("bound_by").duration.sum()
    names = {
        "host_us": "cpu_bound",
        "device_us": "gpu_compute_bound",
        "communication_us": "gpu_communication_bound",
        "between_us": "gpu_kernel_kernel_overhead",
        "launch_us": "gpu_kernel_launch_overhead",
    }
    return {ours: float(by.get(theirs, 0.0)) for ours, theirs in names.items()} | {"total_us": float(edges.duration.sum())}


with contextlib.redirect_stdout(sys.stderr):
    analysis = TraceAnalysis(trace_files={0: sys.argv[1]}, trace_dir="")
    told = {"launches": launches(analysis), "queues": queues(analysis), "critical_path": critical_path(analysis)}
print(json.dumps(told))
