"""Where each training step's time goes: while it runs, to the agent of this machine; and to you, without one.

    import trimtab as tt

    clock = tt.StepClock()
    for batch in clock.steps(loader):
        with clock.forward():
            loss = model(batch)
        ...
    print(clock.summary())

docs/STEPS.md tells what is recorded, what it costs, and how other programs tell the agent of their steps.
"""

from .hugging_face import HuggingFaceCallback
from .lightning import LightningCallback
from .step_clock import StepClock, Steps, clock
from .summary import Summary, Times
from .watch import watch

__all__ = [
    "HuggingFaceCallback",
    "LightningCallback",
    "StepClock",
    "Steps",
    "Summary",
    "Times",
    "clock",
    "watch",
]
