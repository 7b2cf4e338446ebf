"""The figures of a trace by HolisticTraceAnalysis: what `trimtab diagnose` says of one, and no more."""

import sys

from hta.trace_analysis import TraceAnalysis

analysis = TraceAnalysis(trace_files={0: sys.argv[1]}, trace_dir="")
print(analysis.get_temporal_breakdown(visualize=False))
print(analysis.get_idle_time_breakdown(ranks=[0], visualize=False)[0])
print(analysis.get_comm_comp_overlap(visualize=False))
print(*analysis.get_gpu_kernel_breakdown(visualize=False, include_memory_kernels=True))
