"""Tables over many runs: parameters as columns, in the order of the plan, in any format, from any run's manifest."""

import json
import resource
import shutil
from collections import deque
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import analysis
from analysis import rerun, status
from analysis.dataset import NoRuns, stata_names, write_stata
from sim import run
from sim.columns import COLUMNS
from sim.compose import resolve_sweep
from sim.folders import Unwritable
from sim.plans import Plan, record_failure
from sim.record import Recorder
from sim.sweep import plan_of

CAP = "sim.markets.primary.spread_cap"


class Stub:
    """An economy of two months whose spending is its seed."""

    months_total = 2

    def __init__(self, params):
        self.recorder, self.month, self.seed = Recorder(params.start), 0, params.seed

    def step(self):
        self.recorder.add("monthly", month=self.month, region="us", capex=float(self.seed))
        self.month += 1


@pytest.fixture
def swept(tmp_path, monkeypatch) -> Plan:
    """Two caps, two seeds."""
    monkeypatch.setattr(run, "assemble", Stub)
    points = resolve_sweep([f"{CAP}=0.2,0.3", "seed=1,2", f"outputs.root={tmp_path / 'outputs'}"])
    plan = plan_of(points)
    for point in points:
        for params in point.runs():
            run.simulate(params)
    return plan


def test_parameters_are_columns_and_rows_follow_the_plan(swept):
    sweep = analysis.load(swept.folder)
    frame = sweep.frame("monthly", ["run", "seed", CAP, "month", "capex"])
    assert frame["run"].tolist() == [name for name in swept.runs for _ in range(2)]
    assert frame[CAP].tolist() == [0.2] * 4 + [0.3] * 4 and (frame["capex"] == frame["seed"]).all()
    assert sweep.monthly.count_rows(filter=(ds.field(CAP) == 0.3) & (ds.field("seed") == 2)) == 2
    with pytest.raises(AttributeError, match="Tables: monthly"):
        _ = sweep.monthyl


def test_a_sweep_can_be_read_while_it_runs(swept):
    """What is not complete is not there, and nothing else changes."""
    shutil.rmtree(swept.root / swept.runs[1])
    assert analysis.load(swept.folder).runs["run"].to_pylist() == [swept.runs[0], *swept.runs[2:]]


def test_a_run_without_its_manifest_is_left_out_and_made_again(swept, capsys):
    """As an interrupted copy or removal leaves it; what else lies in such a folder is never replaced."""
    name, params = swept.runs[1], resolve_sweep([f"{CAP}=0.2,0.3", "seed=1,2", f"outputs.root={swept.root}"])[0].params
    params = params.model_copy(update={"seed": 2})
    again = swept.root / f"{name}{run.AGAIN}"
    for folder in (swept.root / name, shutil.copytree(swept.root / name, again)):
        (folder / "manifest.json").unlink()
        (folder / ".monthly.parquet.x1Y2z3").touch()
    assert swept.progress().to_do == [name] and len(swept.progress().done) == 3
    for place in (swept.folder, swept.root):
        assert name not in analysis.load(place).runs["run"].to_pylist()
        assert f"not whole: {name} in {swept.root}" in capsys.readouterr().err
    (swept.root / name / "thesis.txt").touch()
    with pytest.raises(Unwritable, match="not the folder of a run"):
        run.obtain(params)
    (swept.root / name / "thesis.txt").unlink()
    assert run.obtain(params).how == "new" and len(swept.progress().done) == 4
    assert run.obtain(params, force=True).differs == () and not again.exists()
    assert analysis.load(swept.folder).runs.num_rows == 4 and not capsys.readouterr().err


def test_a_column_that_a_table_has_not_is_refused_with_the_nearest(swept, tmp_path):
    sweep = analysis.load(swept.folder)
    for read in (sweep.frame, sweep.batches, lambda name, columns: sweep.export(name, tmp_path / "table.csv", columns)):
        with pytest.raises(ValueError, match=r"^capx: no such column of monthly\. Did you mean capex\?$"):
            read("monthly", ["run", "capx"])
    assert not (tmp_path / "table.csv").exists()


def test_a_folder_of_runs_is_read_as_a_sweep_and_an_empty_one_refused(swept, tmp_path):
    whole, some = analysis.load(swept.root), analysis.load(swept.folder)
    assert whole.runs.column_names == some.runs.column_names
    rows = [sweep.frame("monthly").sort_values(["run", "month"], ignore_index=True) for sweep in (whole, some)]
    assert rows[0].equals(rows[1])
    with pytest.raises(NoRuns, match="holds no complete run"):
        analysis.load(tmp_path)


def test_exports_hold_the_same_numbers_and_say_where_they_come_from(swept, tmp_path):
    sweep = analysis.load(swept.folder)
    wanted = ["run", "seed", CAP, "date", "capex"]
    paths = [sweep.export("monthly", tmp_path / f"table{suffix}", wanted) for suffix in (".parquet", ".csv", ".dta")]
    frame = sweep.frame("monthly", wanted)
    assert pq.read_table(paths[0]).to_pandas().equals(frame)
    assert pd.read_csv(paths[1])["capex"].tolist() == pd.read_stata(paths[2])["capex"].tolist() == frame["capex"].tolist()
    with pd.read_stata(paths[2], iterator=True) as stata:
        assert stata.variable_labels()["capex"] == "capital spending of the month [USD]"
    source = json.loads((tmp_path / "table.dta.source.json").read_text())
    assert source["runs"] == 4 and len(source["sources"]) == 1 and source["versions"][0]["numpy"]
    with pytest.raises(ValueError, match="unknown format"):
        sweep.export("monthly", tmp_path / "table.xls")


def test_a_compacted_sweep_reads_the_same_until_a_run_is_added(swept):
    shutil.move(swept.root / swept.runs[3], swept.root / "aside")
    sweep = analysis.load(swept.folder)
    before = sweep.monthly.to_table()
    sweep.compact()
    first = sweep.compacted("monthly").read_bytes()
    assert sweep.monthly.files == [str(sweep.compacted("monthly"))]
    assert sweep.monthly.to_table().to_pandas().equals(before.to_pandas())
    sweep.compact()
    assert sweep.compacted("monthly").read_bytes() == first
    shutil.move(swept.root / "aside", swept.root / swept.runs[3])
    assert analysis.load(swept.folder).monthly.count_rows() == before.num_rows + 2


def test_reading_many_runs_holds_few_of_them_at_once(swept):
    """The largest share of a table in memory does not grow with the table."""
    sweep = analysis.load(swept.folder)
    names = pa.array(swept.runs * 50)
    many = type(sweep)(sweep.folder, sweep.root, sweep.runs.take([i % 4 for i in range(200)]).set_column(0, "run", names))
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for batch in many.batches("monthly"):
        rows += batch.num_rows
        most = max(most, pa.total_allocated_bytes() - before)
    assert rows == 400 and most < many.monthly.to_table().nbytes


def test_files_that_were_read_leave_nothing_in_memory(swept):
    """A footer takes some 0.4 MB of ``monthly``: kept, those of two hundred runs would take 80 MB."""
    sweep = analysis.load(swept.folder)
    names = pa.array(swept.runs * 50)
    many = type(sweep)(sweep.folder, sweep.root, sweep.runs.take([i % 4 for i in range(200)]).set_column(0, "run", names))
    deque(sweep.batches("monthly", ["capex"]), maxlen=0)
    before = resident()
    batches = many.batches("monthly", ["capex"])
    assert sum(batch.num_rows for batch in batches) == 400
    assert resident() - before < 40e6


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_stata_takes_flags_and_words_that_are_missing(swept, tmp_path):
    """All columns of every table, most of them empty here; a flag that is partly known is 0, 1 or missing."""
    sweep = analysis.load(swept.folder)
    for table in COLUMNS:
        assert len(pd.read_stata(sweep.export(table, tmp_path / f"{table}.dta"))) == sweep.table(table).count_rows()
    form = pa.schema([("known", pa.bool_()), ("partly", pa.bool_()), ("word", pa.string()), ("none", pa.string())])
    rows = pa.RecordBatch.from_pylist([{"known": True, "partly": None, "word": "a"}, {"known": False, "partly": True}], form)
    write_stata(tmp_path / "flags.dta", form, iter([rows]))
    back = pd.read_stata(tmp_path / "flags.dta")
    assert back["known"].tolist() == [1, 0] and back["partly"].isna().tolist() == [True, False] and back["partly"][1] == 1
    assert back["word"].tolist() == ["a", ""] and back["none"].tolist() == ["", ""]


def test_what_is_no_plan_or_manifest_is_said(tmp_path, capsys):
    (tmp_path / "plan.parquet").write_bytes(b"")
    (tmp_path / "manifest.json").write_text("[]")
    assert status.main([str(tmp_path)]) == status.main([str(tmp_path / "plan.parquet")]) == rerun.main([str(tmp_path)]) == 2
    assert "is not the folder of a sweep" in capsys.readouterr().err


def test_stata_names_are_short_and_differ():
    names = stata_names(["agents.investors.us.target_yield", "a.agents.investors.us.target_yield", "b.x", "b_x", "2y"])
    assert len(set(names.values())) == 5 and all(len(name) <= 32 and name.isidentifier() for name in names.values())


def test_a_run_is_repeated_from_its_manifest_alone(swept, capsys):
    """The tables may be gone: the manifest has configuration and hashes."""
    folder = swept.root / swept.runs[0]
    for path in folder.glob("*.parquet"):
        path.unlink()
    assert rerun.main([str(folder)]) == 0 and capsys.readouterr().out == "The same, bit for bit.\n"
    page = json.loads((folder / "manifest.json").read_text())
    page["files"]["monthly.parquet"], page["versions"]["numpy"] = "0" * 64, "1.0"
    (folder / "manifest.json").write_text(json.dumps(page))
    assert rerun.main([str(folder / "manifest.json")]) == 4
    said = capsys.readouterr()
    assert "Differs in monthly.parquet" in said.out and "numpy 1.0, now" in said.err
    assert rerun.main([str(swept.folder)]) == 2


def test_a_manifest_alone_is_repeated_beside_it_or_where_one_says(swept, tmp_path, capsys):
    """Or where nothing can be written: the way out that is named can be taken."""
    lone = tmp_path / "lone" / "manifest.json"
    lone.parent.mkdir()
    page = json.loads((swept.root / swept.runs[0] / "manifest.json").read_text())
    lone.write_text(json.dumps(page | {"files": page["files"] | {"monthly.parquet": "0" * 64}}))
    assert rerun.main([str(lone)]) == 4 and (lone.parent / f"{swept.runs[0]}{run.AGAIN}").is_dir()
    lone.write_text(json.dumps(page))
    assert rerun.main([str(lone), f"outputs.root={lone}/below"]) == 2
    said = capsys.readouterr().err
    assert "cannot be written" in said and "Set outputs.root=FOLDER" in said
    assert rerun.main([str(lone), f"outputs.root={tmp_path / 'elsewhere'}"]) == 0 and (tmp_path / "elsewhere").is_dir()
    assert rerun.main([str(lone), "elsewhere"]) == 2 and "give outputs.root=FOLDER" in capsys.readouterr().err


def test_status_counts_what_is_done_and_names_what_failed(swept, capsys):
    for name in swept.runs[2:]:
        shutil.rmtree(swept.root / name)
    record_failure(swept.root, swept.runs[3], ValueError("no price clears"))
    assert status.main([str(swept.folder)]) == 0
    said = capsys.readouterr().out
    assert "4 runs: 2 done, 0 running, 1 failed, 1 to do" in said and "ValueError: no price clears" in said
    assert status.main([str(Path(swept.root))]) == 2
