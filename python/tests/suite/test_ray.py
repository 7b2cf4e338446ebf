"""The loader as a source of Ray Data."""

from __future__ import annotations

import logging
import os
import pickle
import sys

import numpy as np
import pytest
import trimtab as tt

ray = pytest.importorskip("ray", reason="ray is not installed")
pytest.importorskip("ray.data", reason="ray[data] is not installed")
COLUMNS = {
    "image": tt.Image("jpg", size=8),
    "label": tt.Integer("cls"),
    "digits": tt.Text("cls"),
    "file": tt.Bytes("jpg"),
    "number": tt.Number(),
}


@pytest.fixture(scope="module")
def cluster():
    """Ray on two cores of this machine."""
    path = os.pathsep.join(path for path in sys.path if path)
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        runtime_env={"env_vars": {"PYTHONPATH": path}},
    )
    yield
    ray.shutdown()


def source(images, **options) -> tt.RayDatasource:
    return tt.RayDatasource(str(images / "*.tar"), **({"batch_size": 16, "columns": COLUMNS} | options))


def test_tasks_share_an_epoch_and_say_how_much_each_has(images):
    made = source(images)
    assert isinstance(made, ray.data.Datasource) and isinstance(made, tt.RayDatasource)
    assert made.get_name() == "Trimtab" and made.estimate_inmemory_data_size() is None
    fixed = source(images, columns={"image": tt.Image("jpg", size=8), "number": tt.Number()})
    assert fixed.estimate_inmemory_data_size() == 400 * (3 * 8 * 8 * 4 + 8)
    for asked, tasks in [(1, 1), (3, 3), (200, 25)]:
        made_tasks = pickle.loads(pickle.dumps(fixed)).get_read_tasks(asked)
        assert len(made_tasks) == tasks
        assert sum(task.metadata.num_rows for task in made_tasks) == 400
    rows = [[row for block in task() for row in block["number"].to_pylist()] for task in fixed.get_read_tasks(3)]
    assert [len(row) for row in rows] == [task.metadata.num_rows for task in fixed.get_read_tasks(3)]
    assert sorted(number for row in rows for number in row) == list(range(400))
    assert source(images, on_error="skip").get_read_tasks(2)[0].metadata.num_rows is None


def test_what_the_tasks_tell_themselves_is_refused(images):
    with pytest.raises(ValueError, match="output is told by the tasks of Ray that read: leave it out"):
        source(images, output="torch")


def test_ray_reads_every_sample_once(images, cluster):
    dataset = ray.data.read_datasource(source(images), override_num_blocks=3)
    assert dataset.count() == 400
    expected = {
        int(sample["number"]): sample
        for batch in tt.Loader(str(images / "*.tar"), batch_size=16, columns=COLUMNS)
        for sample in tt.samples.rows(batch)
    }
    seen = []
    for batch in dataset.iter_batches(batch_size=50):
        assert batch["image"].shape[1:] == (3, 8, 8) and batch["image"].dtype == np.float32
        for place, number in enumerate(batch["number"]):
            sample = expected[int(number)]
            np.testing.assert_array_equal(batch["image"][place], sample["image"])
            assert batch["label"][place] == sample["label"] and batch["digits"][place] == sample["digits"]
            assert batch["file"][place] == sample["file"]
            seen.append(int(number))
    assert sorted(seen) == list(range(400))
