"""Loaders that answer on a socket."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import pytest
import trimtab as tt


@pytest.fixture()
def run():
    """A folder of a short name: a socket's path has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        yield Path(folder)


def _ask(path, what="/report"):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(path))
        client.sendall(f"GET {what} HTTP/1.1\r\n\r\n".encode())
        answer = b""
        while piece := client.recv(65536):
            answer += piece
            head, _, body = answer.partition(b"\r\n\r\n")
            if f"Content-Length: {len(body)}".encode() in head:
                break
    assert head.startswith(b"HTTP/1.1 200 OK"), answer
    return body.decode()


def _loader(tokens, **options):
    return tt.Loader(tokens, batch_size=50, columns={"tokens": tt.Tokens(8)}, threads=2, **options)


def _sockets(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def test_a_loader_answers_where_it_is_told(tokens, run):
    loader = _loader(tokens, metrics=run / "x.sock", price_per_hour="EUR 2.50")
    assert loader.metrics == str(run / "x.sock") and stat.S_IMODE(os.stat(loader.metrics).st_mode) == 0o600
    assert json.loads(_ask(loader.metrics))["batches"] == 0
    list(loader)
    told = json.loads(_ask(loader.metrics))
    assert (told["pid"], told["batches"], told["samples"], told["version"]) == (os.getpid(), 20, 1000, 1)
    report = json.loads(loader.report().to_json())
    assert set(told) - set(report) == {"pid", "loader"} and set(report) <= set(told)
    assert set(report["recent"]) == set(told["recent"])
    assert 'trimtab_feed_samples_total{pid="' in _ask(loader.metrics, "/metrics")
    with pytest.raises(ValueError, match="another loader answers there"):
        _loader(tokens, metrics=run / "x.sock")
    path = loader.metrics
    del loader
    assert not os.path.exists(path)


def test_a_price_makes_waiting_cost(tokens):
    report = _loader(tokens, price_per_hour=20).report()
    assert (report.price_per_hour, float(report.stall_cost_per_hour)) == (tt.Money(20_000_000, "USD"), 0.0)
    loader = _loader(tokens, price_per_hour="EUR 2.50")
    list(loader)
    report = loader.report()
    cost = report.stall_cost_per_hour
    assert cost.currency == "EUR" and float(cost) == pytest.approx(2.5 * report.recent.starved, abs=1e-5)
    assert f"{cost} of EUR 2.50" in str(report)
    assert _loader(tokens).report().stall_cost_per_hour is None
    for wrong in ("2.50", "EUR", "eur 2", "EUR -1", -1.0, float("nan"), 0.0000001):
        with pytest.raises(ValueError, match="price_per_hour is"):
            _loader(tokens, price_per_hour=wrong)


def test_the_environment_has_each_loader_answer_and_false_none(tokens, run, monkeypatch):
    monkeypatch.setenv("TRIMTAB_METRICS_DIR", str(run / "run"))
    first, second, none = _loader(tokens), _loader(tokens), _loader(tokens, metrics=False)
    assert len(_sockets(run / "run")) == 2 and none.metrics is None
    assert json.loads(_ask(first.metrics))["loader"] != json.loads(_ask(second.metrics))["loader"]
    # Training does not end because nobody can watch it.
    monkeypatch.setenv("TRIMTAB_METRICS_DIR", str(run / "x" / ("y" * 200)))
    with pytest.warns(RuntimeWarning, match="the loader does not answer: metrics: .*name a shorter one"):
        third = _loader(tokens)
    assert third.metrics is None and len(list(third)) == 20
    monkeypatch.delenv("TRIMTAB_METRICS_DIR")
    assert _loader(tokens).metrics is None
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    own = _loader(tokens, metrics=True)
    assert Path(own.metrics).parent == run / "trimtab" / "feed"


def test_a_transform_is_told_of(tokens, run):
    def wait(sample):
        time.sleep(0.001)
        return dict(sample)

    loader = _loader(tokens, transform=tt.Transform(wait, workers=1), metrics=run)
    list(loader)
    told = json.loads(_ask(loader.metrics))
    assert told["transform"]["samples"] == 1000 and told["recent"]["bottleneck"] == "transform"
    assert told["recent"]["starved"] > 0.5
    path = loader.metrics
    loader.load_state_dict(loader.state_dict())
    assert loader.metrics != path and not os.path.exists(path)
    assert json.loads(_ask(loader.metrics))["transform"] is None


def test_copies_answer_for_themselves(tokens, run):
    loader = _loader(tokens, metrics=run / "x.sock")
    taken = iter(loader)
    next(taken)
    again = pickle.loads(pickle.dumps(loader))
    assert again.metrics == str(run / f"x-{os.getpid()}.sock")
    assert json.loads(_ask(loader.metrics))["batches"] == 1 and json.loads(_ask(again.metrics))["batches"] == 0


def test_a_forked_process_answers_for_itself_and_leaves_its_parent_alone(tokens, run):
    loader = _loader(tokens, metrics=run / "x.sock")
    other = _loader(tokens, metrics=run)
    taken = iter(loader)
    next(taken)
    # Somebody asks all the time: no lock may come along into the forked processes.
    is_over = threading.Event()

    def ask():
        while not is_over.is_set():
            _ask(loader.metrics)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    with warnings.catch_warnings():
        # Later Pythons warn of forks beside threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        for _ in range(20):
            reads, writes = os.pipe()
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    next(iter(loader))
                    told = json.loads(_ask(loader.metrics))
                    # What the parent listens at is not open here. The list of the system may lack what changes meanwhile, and never
                    # has what is not there.
                    held = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_open(fd)]
                    listening = _listening()
                    own = [inode for inode in listening if f"socket:[{inode}]" in held]
                    is_right = loader.metrics.endswith(f"x-{os.getpid()}.sock") and told["pid"] == os.getpid()
                    status = 2 if not is_right else 3 if len(own) > 1 else 0
                    loader._native.stop_serving()
                finally:
                    os.write(writes, bytes([status]))
                    os._exit(0)
            os.close(writes)
            said = os.read(reads, 1)
            os.close(reads)
            os.waitpid(child, 0)
            assert said == b"\0"
    is_over.set()
    for thread in asking:
        thread.join(timeout=60)
    assert json.loads(_ask(loader.metrics))["pid"] == os.getpid() and other.metrics is not None
    assert _sockets(run) == sorted(["x.sock", Path(other.metrics).name])


def _is_open(fd):
    return os.path.lexists(f"/proc/self/fd/{fd}")


def _listening():
    """Inodes of Unix sockets that are listened at (proc(5): the flag 0x10000)."""
    rows = [row.split() for row in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return [row[6] for row in rows if row[3] == "00010000"]


def _work(tokens, run, told):
    global _kept
    _kept = _loader(tokens, metrics=run)
    next(iter(_kept))
    told.put((os.getpid(), json.loads(_ask(_kept.metrics))["pid"]))


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_a_worker_of_multiprocessing_removes_its_socket(tokens, run, how):
    context = multiprocessing.get_context(how)
    told = context.Queue()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        worker = context.Process(target=_work, args=(tokens, run, told))
        worker.start()
    assert len(set(told.get(timeout=120))) == 1
    worker.join(timeout=60)
    assert worker.exitcode == 0 and _sockets(run) == []


PROGRAM = """
import os, sys, signal
import trimtab as tt

loader = tt.Loader(sys.argv[1], batch_size=50, columns={"tokens": tt.Tokens(8)}, metrics=sys.argv[2])
print(loader.metrics, flush=True)
if sys.argv[3] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_ends_removes_its_socket_and_what_a_killed_one_left_is_replaced(tokens, run):
    def ended(how):
        command = [sys.executable, "-c", PROGRAM, str(tokens), str(run), how]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    process = ended("well")
    assert process.returncode == 0 and process.stdout, process.stderr
    assert _sockets(run) == []
    process = ended("kill")
    assert _sockets(run) == [Path(process.stdout.strip()).name]
    loader = _loader(tokens, metrics=run)
    assert _sockets(run) == [Path(loader.metrics).name]
