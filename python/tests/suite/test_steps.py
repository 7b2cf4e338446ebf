"""The clock of steps, and what an agent hears of it."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import pytest
import trimtab as tt
from step_agent import Agent, open_sockets, wait_until

PHASES = ["data_wait", "host_to_device", "forward", "backward", "optimizer", "communication", "checkpoint"]


@pytest.fixture()
def place():
    """A socket's path, which has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        yield Path(folder) / "steps.sock"


@pytest.fixture()
def agent(place):
    agent = Agent(place)
    yield agent
    agent.close()


def a_clock(agent, **options) -> tt.StepClock:
    options = {"job": "a job", "rank": 3, "ranks": 8} | options
    return tt.StepClock(path=getattr(agent, "path", agent), **options)


def slow(batches, seconds=0.02):
    for batch in batches:
        time.sleep(seconds)
        yield batch


def test_the_one_line_tells_steps_and_waits_and_who_is_who(agent):
    before = time.time()
    with a_clock(agent, local_rank=1, group="a=b %\n", node="n1") as clock:
        for _ in clock.steps(slow(range(3))):
            time.sleep(0.01)
    told = agent.connection()
    assert told.is_over.wait(60)
    who = f"trimtab-steps 1 job=a%20job rank=3 ranks=8 local_rank=1 pid={os.getpid()} group=a%3Db%20%25%0A node=n1"
    assert told.lines[0] == who and told.lines[-1] == "end"
    steps = told.steps(3)
    assert [step["number"] for step in steps] == [1, 2, 3]
    for step in steps:
        assert 20_000 <= step["data_wait"] and 10_000 <= step["us"] - step["data_wait"], step
        assert set(step) == {"number", "at", "us", "data_wait"}
        assert before * 1e6 < step["at"] < time.time() * 1e6
    # A step begins where the one before ended.
    assert steps[1]["at"] - steps[0]["at"] == pytest.approx(steps[1]["us"], abs=5_000)


def test_marks_switch_and_spans_nest(agent):
    with a_clock(agent) as clock:
        clock.mark("forward")
        time.sleep(0.01)
        with clock.backward():
            time.sleep(0.02)
            with clock.communication():
                time.sleep(0.03)
            clock.mark("optimizer")
            time.sleep(0.01)
        # Back in what was marked outside.
        time.sleep(0.01)
        clock.mark("other")
        time.sleep(0.01)
        clock.end_step(number=70)
        clock.mark("checkpoint")
        clock.end_step()
    first, second = agent.connection().steps(2)
    expected = {"forward": 20, "backward": 20, "communication": 30, "optimizer": 10}
    for phase, milliseconds in expected.items():
        assert milliseconds <= first[phase] / 1000, first
    assert 90_000 <= first["us"] and sum(first[phase] for phase in expected) <= first["us"] - 10_000
    assert (first["number"], second["number"]) == (70, 71)
    with pytest.raises(ValueError, match=f"phase is \"fwd\"; it is one of {', '.join(PHASES)}, other"):
        clock.mark("fwd")


def test_what_was_left_by_an_error_ends_with_its_step(agent):
    with a_clock(agent) as clock:
        for number in range(40):
            with pytest.raises(ZeroDivisionError), clock.forward(), clock.backward():
                1 / 0
            # Entered, and never left.
            clock.optimizer().__enter__()
            clock.end_step()
            time.sleep(0.001)
            clock.end_step()
    steps = agent.connection().steps(80)
    assert all("optimizer" not in step for step in steps[1::2])


def test_phases_may_nest_deeper_than_is_noted(agent):
    with a_clock(agent) as clock:
        clock.mark("forward")
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                stack.enter_context(clock.backward())
                stack.enter_context(clock.communication())
            time.sleep(0.02)
        time.sleep(0.01)
        clock.end_step()
        clock.mark("optimizer")
        time.sleep(0.01)
        clock.end_step()
    first, second = agent.connection().steps(2)
    assert first["communication"] >= 20_000 and first["forward"] >= 10_000 and second["optimizer"] >= 10_000
    assert sum(first.get(phase, 0) for phase in PHASES) <= first["us"]


def test_nothing_that_was_not_a_step_is_told(agent):
    with a_clock(agent) as clock:
        clock.end_step()
        for _ in clock.steps([]):
            pass
        for number in clock.steps(range(5)):
            if number == 2:
                break
        time.sleep(0.3)
        for _ in clock.steps(range(4), every=2):
            pass
        clock.mark("forward")
        clock.pause()
    told = agent.connection()
    assert told.is_over.wait(60)
    steps = told.steps(4)
    assert len(steps) == 4 and all(step["us"] < 300_000 for step in steps)
    assert clock.summary().steps == 4
    with pytest.raises(ValueError, match="every is 0; a step is of one batch at least"):
        clock.steps([], every=0)
    assert len(clock.steps([1, 2])) == 2
    with pytest.raises(TypeError, match="generator does not know how many batches it has"):
        len(clock.steps(slow([])))


def test_a_hang_shows_where(agent):
    with a_clock(agent) as clock:
        began = time.time()
        clock.mark("forward")
        clock.end_step()
        with clock.communication():
            # It does not take Python to tell.
            time.sleep(2.5)
    told = [now for now in agent.connection().told("now") if now["in"] == "communication"]
    assert 2 <= len(told) <= 4
    assert {now["number"] for now in told} == {"2"}
    since = [int(now["since"]) for now in told]
    assert max(since) - min(since) < 100_000
    for now in told:
        assert began * 1e6 <= int(now["step_since"]) <= int(now["since"]) + 1 < (began + 1) * 1e6


def test_nobody_listens_and_nothing_is_lost_but_that(place):
    clock = a_clock(place)
    before = time.process_time()
    for _ in clock.steps(range(50)):
        time.sleep(0.01)
    assert time.process_time() - before < 0.5 and not clock.is_connected
    assert clock.summary().steps == 50
    # Who comes later is told what there was.
    agent = Agent(place)
    wait_until(lambda: clock.is_connected)
    assert len(agent.connection().steps(50)) == 50
    clock.close()
    assert agent.connection().is_over.wait(60) and agent.connection().lines[-1] == "end"
    agent.close()


def test_who_does_not_read_holds_up_nobody(place):
    agent = Agent(place, reads=False)
    clock = a_clock(agent)
    wait_until(lambda: clock.is_connected)
    clock.mark("forward")
    for number in range(60_000):
        # Were it to wait for the agent, it would wait for ever.
        clock.end_step()
        if number % 1000 == 0:
            time.sleep(0.01)
    assert clock.is_connected and clock.summary().steps == 60_000
    start = time.monotonic()
    clock.close()
    assert time.monotonic() - start < 30
    agent.close()


def test_an_agent_that_fell_behind_is_told_how_much_it_missed(place):
    clock = a_clock(place)
    clock.mark("forward")
    for _ in range(10_000):
        clock.end_step()
    agent = Agent(place)
    told = agent.connection()
    steps = told.steps(4096)
    assert told.lines[1] == f"dropped {10_000 - 4096}"
    assert [step["number"] for step in steps] == list(range(10_000 - 4096 + 1, 10_001))
    clock.close()
    agent.close()


def test_an_agent_that_comes_again_is_told_who_is_who_again(place):
    first = Agent(place)
    clock = a_clock(first)
    for _ in clock.steps(range(5)):
        pass
    first.connection().steps(5)
    first.close()
    wait_until(lambda: not clock.is_connected)
    for _ in clock.steps(range(5)):
        pass
    place.unlink()
    second = Agent(place)
    steps = second.connection().steps(5)
    lines = second.connection().lines
    assert lines[0] == first.connections[0].lines[0] and sum(line.startswith("trimtab-steps") for line in lines) == 1
    assert [step["number"] for step in steps] == [6, 7, 8, 9, 10]
    clock.close()
    second.close()


def test_lines_that_an_agent_left_half_read_come_whole_to_the_next(place):
    first = Agent(place, reads=False)
    clock = a_clock(first)
    clock.mark("forward")
    wait_until(lambda: clock.is_connected)
    # More than the socket has room for.
    for number in range(12_000):
        clock.end_step()
        if number % 500 == 0:
            time.sleep(0.05)
    first.close()
    place.unlink()
    second = Agent(place)
    told = second.connection()
    wait_until(lambda: told.told("step") and told.told("step")[-1]["number"] == "12000")
    numbers = [int(step["number"]) for step in told.told("step")]
    assert numbers == sorted(set(numbers)) and all(step["us"].isdigit() for step in told.told("step"))
    # What is missing is in one piece, and told of: what came before lay in the first agent's socket.
    gaps = [later - earlier - 1 for earlier, later in zip(numbers, numbers[1:]) if later != earlier + 1]
    assert gaps == [int(dropped["number"]) for dropped in told.told("dropped")] and sum(gaps) > 0
    clock.close()
    second.close()


def test_an_agent_need_not_be_able_to_write(agent):
    with a_clock(agent) as clock:
        wait_until(lambda: clock.is_connected)
        # As programs do that only read.
        agent.connection().stop_writing()
        time.sleep(0.6)
        for _ in clock.steps(range(3)):
            pass
        assert len(agent.connection().steps(3)) == 3
    assert agent.connection().is_over.wait(60) and len(agent.connections) == 1


MANY = """
import resource
import trimtab as tt

clock = tt.StepClock()
clock.mark("forward")
for count in (70_000, 200_000):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(count):
        clock.mark("backward")
        clock.end_step()
# From the first 65,536 steps on, as much is let go as comes.
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, clock.summary().steps, clock.summary().kept)
"""


@pytest.mark.parametrize("listens", [False, True])
def test_hundreds_of_thousands_of_steps_take_bounded_memory(place, listens):
    agent = Agent(place) if listens else None
    command = [sys.executable, "-c", MANY]
    ran = subprocess.run(command, env=os.environ | {"TRIMTAB_STEPS": str(place)}, capture_output=True, text=True)
    grown, steps, kept = map(int, ran.stdout.split())
    assert (steps, kept) == (270_000, 65_536) and grown < 2048, ran.stderr
    if agent is not None:
        told = agent.connection()
        assert told.is_over.wait(60)
        # Each was told, or told of.
        missed = sum(int(dropped["number"]) for dropped in told.told("dropped"))
        assert len(told.told("step")) + missed == 270_000
        agent.close()


def test_marks_of_other_threads_corrupt_nothing(agent):
    with a_clock(agent) as clock:
        is_over = threading.Event()

        def disturb():
            while not is_over.is_set():
                clock.mark("checkpoint")
                with clock.optimizer():
                    clock.end_step()

        threads = [threading.Thread(target=disturb) for _ in range(3)]
        for _ in clock.steps(range(1)):
            for thread in threads:
                thread.start()
            for _ in range(60):
                with clock.forward():
                    time.sleep(0.001)
            is_over.set()
            for thread in threads:
                thread.join()
        assert clock.summary().steps == 1
    (step,) = agent.connection().steps(1)
    assert "checkpoint" not in step and "optimizer" not in step and step["forward"] >= 60_000
    assert sum(step.get(phase, 0) for phase in PHASES) <= step["us"]


def test_a_forked_process_tells_nothing_and_holds_nothing(agent):
    clock = a_clock(agent)
    wait_until(lambda: clock.is_connected)
    held = open_sockets()
    clock.mark("forward")
    clock.end_step()
    with warnings.catch_warnings():
        # Later Pythons warn of forks beside threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        for _ in range(20):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    clock.mark("checkpoint")
                    for _ in clock.steps(range(3)):
                        with clock.backward():
                            pass
                    is_right = clock.summary().steps == 0 and not clock.is_connected and open_sockets() == held - 1
                    clock.close()
                    # One of its own works.
                    own = tt.steps.clock()
                    for _ in own.steps(range(3)):
                        pass
                    status = 0 if is_right and own is not clock and own.summary().steps == 3 else 2
                finally:
                    os._exit(status)
            assert os.waitpid(child, 0)[1] == 0
            clock.end_step()
    assert clock.is_connected
    clock.close()
    told = agent.connections[0]
    assert told.is_over.wait(60)
    assert len(told.told("step")) == 21 and all("checkpoint" not in step for step in told.told("step"))
    assert told.lines.count("end") == 1 and told.lines[-1] == "end"


PROGRAM = """
import os, signal, sys, time
import trimtab as tt

clock = tt.StepClock()
for number in clock.steps(range(100)):
    time.sleep(0.01)
    if number == 50 and sys.argv[1] == "fork":
        if os.fork() == 0:
            # It outlives its parent.
            time.sleep(30)
            os._exit(0)
    if number == 60 and sys.argv[1] in ("kill", "fork"):
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 60 and sys.argv[1] == "raise":
        raise SystemExit(3)
"""


@pytest.mark.parametrize("how", ["well", "raise", "kill", "fork"])
def test_ends_are_told_and_crashes_are_not(agent, how):
    environment = os.environ | {"TRIMTAB_STEPS": str(agent.path), "RANK": "1", "WORLD_SIZE": "2", "TRIMTAB_JOB": "j"}
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, how], env=environment)
    told = agent.connection()
    assert told.is_over.wait(25), "a copy of the connection stays open"
    assert process.wait() == {"well": 0, "raise": 3}.get(how, -signal.SIGKILL)
    assert told.lines[0].startswith(f"trimtab-steps 1 job=j rank=1 ranks=2 pid={process.pid} node=")
    assert ("end" in told.lines) == (how in ("well", "raise"))
    assert len(told.told("step")) == {"well": 100, "raise": 60}.get(how, len(told.told("step"))) > 20


def test_a_signal_for_broken_pipes_does_not_end_training(place):
    agent = Agent(place)
    program = "import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n" + PROGRAM
    process = subprocess.Popen(
        [sys.executable, "-c", program, "well"], env=os.environ | {"TRIMTAB_STEPS": str(place)}
    )
    agent.connection().steps(1)
    agent.close()
    assert process.wait() == 0


def test_figures_are_those_of_the_steps(place):
    clock = a_clock(place)
    assert str(clock.summary()) == "no step has ended yet"
    for number in clock.steps(range(20)):
        with clock.forward():
            time.sleep(0.5 if number == 7 else 0.002)
    summary = clock.summary()
    forward = summary.phases["forward"]
    assert list(summary.phases) == [*PHASES, "other"] and summary.steps == summary.kept == 20
    assert 0.002 <= forward.p50_seconds <= forward.p95_seconds < 0.5 < forward.total_seconds
    assert forward.mean_seconds == pytest.approx(forward.total_seconds / 20)
    assert sum(summary.share(phase) for phase in summary.phases) == pytest.approx(1, abs=0.01)
    lines = str(summary).splitlines()
    assert lines[0].startswith("20 steps of rank 3 of 8: ") and lines[1].split() == ["share", "mean", "median", "95", "%"]
    assert [line.split()[0] for line in lines[2:5]] == ["step", "data_wait", "forward"]
    clock.close()
    assert clock.summary() == summary


def test_a_table_of_steps_is_written_whole(place, tmp_path):
    clock = a_clock(place)
    for _ in clock.steps(range(3)):
        with clock.backward():
            time.sleep(0.002)
    assert clock.write_csv(tmp_path / "steps.csv") == 3
    rows = list(csv.DictReader((tmp_path / "steps.csv").open()))
    assert list(rows[0]) == ["worker", "step", "step_time", *PHASES, "other"]
    assert [(row["worker"], row["step"]) for row in rows] == [("3", "1"), ("3", "2"), ("3", "3")]
    for row in rows:
        assert float(row["backward"]) >= 0.002
        parts = sum(float(row[phase]) for phase in [*PHASES, "other"])
        assert parts == pytest.approx(float(row["step_time"]), abs=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["steps.csv"]
    with pytest.raises(OSError, match="nowhere/steps.csv: No such file"):
        clock.write_csv(tmp_path / "nowhere" / "steps.csv")


def test_the_clock_of_a_process_is_found_and_goes_with_its_last_holder(place, agent):
    clock = a_clock(agent)
    assert tt.steps.clock() is clock
    wait_until(lambda: clock.is_connected)
    del clock
    told = agent.connection()
    assert told.is_over.wait(60) and told.lines[-1] == "end"
    other = tt.steps.clock()
    assert isinstance(other, tt.StepClock)
    other.close()


def test_trimtabs_loader_marks_its_waits_itself(tokens, agent):
    def wait(sample):
        time.sleep(0.001)
        return dict(sample)

    plain = tt.Loader(tokens, batch_size=50, columns={"tokens": tt.Tokens(8)})
    made = tt.Loader(tokens, batch_size=50, columns={"tokens": tt.Tokens(8)}, transform=tt.Transform(wait, workers=1))
    with a_clock(agent) as clock:
        # Gone through outside of steps, a loader tells of none.
        list(plain)
        for loader in (plain, made):
            for _ in loader:
                clock.end_step()
        assert clock.summary().steps == 39
    steps = agent.connection().steps(39)
    assert all("data_wait" in step and step["data_wait"] <= step["us"] for step in steps[20:])
    assert sum(step["data_wait"] for step in steps[20:]) > 400_000


def test_where_the_agent_listens_is_found(place, monkeypatch):
    monkeypatch.setenv("TRIMTAB_STEPS", str(place))
    agent = Agent(place)
    clock = tt.StepClock("told")
    wait_until(lambda: clock.is_connected)
    clock.close()
    agent.close()
    monkeypatch.delenv("TRIMTAB_STEPS")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place.parent))
    (place.parent / "trimtab").mkdir()
    agent = Agent(place.parent / "trimtab" / "steps.sock")
    clock = tt.StepClock("own")
    wait_until(lambda: clock.is_connected)
    clock.close()
    agent.close()


def test_a_line_is_never_longer_than_it_may_be(agent):
    with a_clock(agent, job="\u2003" * 4000, group="=" * 4000, node="n" * 4000):
        pass
    assert agent.connection().is_over.wait(60)
    first = agent.connection().lines[0]
    assert len(first) < 4096 and f" node={'n' * 256}" in first and f" group={'%3D' * 256} " in first


def test_what_is_told_wrongly_is_refused():
    with pytest.raises(ValueError, match="rank and ranks are told together or not at all"):
        tt.StepClock(rank=1)
    with pytest.raises(ValueError, match="rank is 2 of 2; ranks are counted from 0"):
        tt.StepClock(rank=2, ranks=2)


def test_what_the_device_does_is_waited_for_where_that_is_asked_for(monkeypatch, place):
    waited = []
    monkeypatch.setattr(tt.steps.step_clock, "_synchronize", lambda: lambda: waited.append(time.sleep(0.01)))
    clock = a_clock(place, synchronize=True)
    with clock.forward():
        pass
    clock.end_step()
    assert len(waited) == 3 and clock.summary().phases["forward"].total_seconds >= 0.009
    monkeypatch.setattr(tt.steps.step_clock, "_synchronize", lambda: lambda: 1 / 0)
    clock = a_clock(place, synchronize=True)
    clock.mark("forward")
    assert json.loads(clock.figures())["steps"] == 0
