"""The clock within torch, Lightning and Hugging Face's Trainer."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
import warnings

import pytest
import trimtab as tt
from step_agent import Agent

torch = pytest.importorskip("torch", reason="torch is not installed")
# What more workers than cores do is not what is looked at here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*worker processes in total.*"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*"),
]


@pytest.fixture()
def agent(tmp_path_factory, monkeypatch):
    agent = Agent(tmp_path_factory.mktemp("s") / "s")
    monkeypatch.setenv("TRIMTAB_STEPS", str(agent.path))
    monkeypatch.setenv("TRIMTAB_JOB", "training")
    yield agent
    agent.close()


class Samples(torch.utils.data.Dataset):
    """Samples that take 5 ms each to make."""

    def __len__(self) -> int:
        return 24

    def __getitem__(self, number: int):
        time.sleep(0.005)
        return torch.full((4,), float(number)), torch.tensor([1.0])


class Slow(torch.nn.Module):
    """A layer whose forward pass takes 20 ms, and its backward pass 30."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def forward(self, samples):
        time.sleep(0.02)
        return Waits.apply(self.layer(samples))


class Waits(torch.autograd.Function):
    @staticmethod
    def forward(context, samples):
        return samples

    @staticmethod
    def backward(context, gradients):
        time.sleep(0.03)
        return gradients


class SlowSgd(torch.optim.SGD):
    """Descends for 10 ms."""

    def step(self, closure=None):
        loss = super().step(closure)
        time.sleep(0.01)
        return loss


def data_loader(workers: int = 0, **options):
    return torch.utils.data.DataLoader(Samples(), batch_size=4, num_workers=workers, **options)


def at_least(steps, **milliseconds) -> None:
    """Each of the steps spent so long in each of these phases, and no time twice."""
    for step in steps:
        for phase, least in milliseconds.items():
            assert step.get(phase, 0) >= 1000 * least - 1, (phase, step)
        phases = set(step) - {"number", "at", "us"}
        assert sum(step[phase] for phase in phases) <= step["us"]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("persistent", [False, True])
def test_a_data_loader_is_watched_wherever_it_is_gone_through(agent, workers, persistent):
    batches = data_loader(workers, persistent_workers=persistent and workers > 0)
    with tt.steps.clock() as clock:
        assert tt.steps.watch(batches, clock) is batches and isinstance(batches, torch.utils.data.DataLoader)
        for _ in range(2):
            seen = [samples[0, 0].item() for samples, _ in batches]
            assert seen == [0, 4, 8, 12, 16, 20] and len(batches) == 6
        next(iter(batches))
        assert tt.steps.watch(batches, clock, every=2) is batches
        assert len(list(batches)) == 6
    told = agent.connection()
    assert told.is_over.wait(60)
    steps = told.steps(15)
    assert [step["number"] for step in steps] == list(range(1, 16))
    at_least(steps[:1], data_wait=20)
    assert all("data_wait" in step for step in steps)
    # Workers are copies of this process, and are none of its ranks.
    assert len(agent.connections) == 1


def test_what_cannot_be_watched_is_said():
    with pytest.raises(TypeError, match=r"a list cannot be watched: go through clock.steps\(...\) of it"):
        tt.steps.watch([1, 2])


def test_torch_marks_phases_by_itself(agent, tmp_path):
    model = Slow()
    optimizer = SlowSgd(model.parameters(), lr=0.01)
    with tt.StepClock().attach(model=model, optimizer=optimizer) as clock:
        # Outside of a step nothing counts.
        model(torch.zeros(1, 4)).sum().backward()
        for samples, expected in clock.steps(data_loader()):
            loss = (model(samples) - expected).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            torch.save(model.state_dict(), tmp_path / "model.pt")
        phases = clock.summary().phases
    steps = agent.connection().steps(6)
    at_least(steps, data_wait=20, forward=20, backward=30, optimizer=10)
    assert all(step["checkpoint"] > 0 for step in steps) and phases["forward"].total_seconds > 0.12
    # A clock that is closed is out of torch.
    model(torch.zeros(1, 4)).sum().backward()
    assert not model._forward_hooks and not model._forward_pre_hooks
    assert clock.summary().steps == 6


def test_a_closure_and_an_error_leave_phases_in_order(agent):
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=2)
    with tt.StepClock().attach(model=model, optimizer=[optimizer]) as clock:
        for samples, expected in clock.steps(data_loader()):
            with pytest.raises(RuntimeError):
                model(torch.zeros(3, 3))

            def closure(samples=samples, expected=expected):
                optimizer.zero_grad()
                loss = (model(samples) - expected).square().mean()
                loss.backward()
                return loss

            optimizer.step(closure)
            time.sleep(0.01)
    for step in agent.connection().steps(6):
        assert {"forward", "backward", "optimizer"} <= set(step)
        parts = sum(step[phase] for phase in ("data_wait", "forward", "backward", "optimizer"))
        assert parts <= step["us"] - 10_000, "what is in no phase is other"


def _rank(rank: int, path: str, store: str) -> None:
    distributed = torch.distributed
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    model = torch.nn.parallel.DistributedDataParallel(Slow())
    clock = tt.StepClock("pair", path=path).attach(model=model, communication=True)
    for number, samples in enumerate(clock.steps(torch.zeros(5, 2, 4))):
        if rank == 1:
            time.sleep(0.1)
        model(samples).sum().backward()
        if rank == 0:
            time.sleep(0.05)
        distributed.barrier()
    # As processes of multiprocessing end: nobody closes the clock.


def test_who_is_early_waits_in_communication(agent, tmp_path):
    context = multiprocessing.get_context("spawn")
    told = [str(agent.path), str(tmp_path / "store")]
    processes = [context.Process(target=_rank, args=(rank, *told)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    by_rank = {}
    for connection in agent.connections:
        assert connection.is_over.wait(60) and connection.lines[-1] == "end"
        first = connection.lines[0].split(" ")
        assert first[2] == "job=pair" and first[4] == "ranks=2"
        by_rank[first[3]] = connection.steps(5)
    # In the backward pass the first waits for the second's gradients, and in the barrier the second for the first. In the second
    # step's forward pass torch arranges its buckets anew, and ranks meet there.
    at_least(by_rank["rank=0"][2:], forward=20, backward=30, communication=60)
    at_least(by_rank["rank=1"][2:], forward=20, backward=30, communication=30)


def test_lightning_tells_all_phases(agent, tmp_path):
    lightning = pytest.importorskip("lightning.pytorch", reason="lightning is not installed")

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = Slow()

        def training_step(self, batch, number):
            samples, expected = batch
            return (self.model(samples) - expected).square().mean()

        def validation_step(self, batch, number):
            time.sleep(0.5)

        def on_save_checkpoint(self, checkpoint) -> None:
            time.sleep(0.04)

        def configure_optimizers(self):
            return SlowSgd(self.parameters(), lr=0.01)

    callback = tt.steps.LightningCallback()
    assert isinstance(callback, lightning.Callback) and callback.clock is None
    keeps = lightning.callbacks.ModelCheckpoint(tmp_path, every_n_train_steps=2, save_top_k=-1)
    trainer = lightning.Trainer(
        max_epochs=2, limit_val_batches=1, val_check_interval=3, callbacks=[callback, keeps], logger=False,
        enable_progress_bar=False, accelerator="cpu", default_root_dir=tmp_path, enable_model_summary=False,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(Module(), data_loader(), data_loader())
    told = agent.connection()
    assert told.is_over.wait(60) and told.lines[-1] == "end"
    steps = told.steps(12)
    assert [step["number"] for step in steps] == list(range(1, 13))
    at_least(steps[:6] + steps[7:], data_wait=20, forward=20, backward=30, optimizer=10)
    assert all("host_to_device" in step for step in steps)
    # A state is kept behind the second step, and counts to the third.
    kept = [step["number"] for step in steps if step.get("checkpoint", 0) >= 40_000]
    assert kept and set(kept) <= {3, 5, 9, 11}
    assert max(step["us"] for step in steps) < 500_000, "validation is no step"
    assert callback.clock.summary().steps == 12
    assert not {"start", "stop"} & set(vars(trainer.profiler))


PAIR = """
import torch
import trimtab as tt
import lightning.pytorch as lightning


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def training_step(self, batch, number):
        return self.layer(batch).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


lightning.Trainer(
    accelerator="cpu", devices=2, strategy="ddp", max_epochs=1, logger=False, enable_checkpointing=False,
    enable_progress_bar=False, callbacks=[tt.steps.LightningCallback()],
).fit(Module(), torch.utils.data.DataLoader(torch.zeros(16, 4), batch_size=2))
"""


def test_ranks_that_lightning_starts_agree_on_their_job(agent, tmp_path, monkeypatch):
    pytest.importorskip("lightning.pytorch", reason="lightning is not installed")
    monkeypatch.delenv("TRIMTAB_JOB")
    program = tmp_path / "pair.py"
    program.write_text(PAIR)
    ran = subprocess.run([sys.executable, str(program)], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    firsts = sorted(connection.lines[0].split(" ") for connection in agent.connections)
    assert [first[3:6] for first in firsts] == [[f"rank={rank}", "ranks=2", f"local_rank={rank}"] for rank in range(2)]
    assert firsts[0][2] == firsts[1][2]
    assert all(len(connection.steps(4)) == 4 for connection in agent.connections)


def test_hugging_faces_trainer_tells_all_phases(agent, tmp_path):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("accelerate", reason="accelerate is not installed")

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = Slow()

        def forward(self, samples, labels):
            if not self.training:
                time.sleep(0.5)
            answers = self.model(samples)
            return {"loss": (answers - labels).square().mean(), "logits": answers}

    def collated(samples):
        return {"samples": torch.stack([each for each, _ in samples]), "labels": torch.stack([each for _, each in samples])}

    callback = tt.steps.HuggingFaceCallback()
    model = Model()
    options = transformers.TrainingArguments(
        str(tmp_path), per_device_train_batch_size=2, gradient_accumulation_steps=2, num_train_epochs=2, use_cpu=True,
        report_to="none", eval_strategy="steps", eval_steps=3, save_steps=2, disable_tqdm=True,
        per_device_eval_batch_size=24, remove_unused_columns=False,
    )  # fmt: skip
    trainer = transformers.Trainer(
        model, options, train_dataset=Samples(), eval_dataset=Samples(), data_collator=collated, callbacks=[callback],
        optimizers=(SlowSgd(model.parameters(), lr=0.01), None),
    )  # fmt: skip
    trainer.train()
    told = agent.connection()
    assert told.is_over.wait(60) and told.lines[-1] == "end"
    steps = told.steps(12)
    assert [step["number"] for step in steps] == list(range(1, 13))
    # Of two batches each, since gradients are accumulated; and Accelerate has one ready before.
    at_least(steps, data_wait=10, forward=40, backward=60, optimizer=10)
    assert {step["number"] for step in steps if "checkpoint" in step} >= {3, 5, 9, 11}
    assert max(step["us"] for step in steps) < 500_000, "evaluation is no step"
    assert callback.clock.summary().steps == 12 and not model._forward_hooks
