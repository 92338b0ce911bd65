"""Runs: the same seed gives the same bytes, and a folder appears whole or not at all."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from sim import run
from sim.columns import COLUMNS
from sim.compose import resolve
from sim.folders import VARYING, Unwritable, appearing, hidden_name
from sim.pictures import Picture

SMALL = ("size=class", "horizon_years=1")


def test_the_same_seed_gives_the_same_bytes_in_two_places(sim, here):
    """Only the manifest's ``this_run`` differs."""
    folders = [here / sim(*SMALL, "seed=4", f"outputs.root={place}").stdout.strip() for place in ("one", "two")]
    first, second = ({path.name: path for path in folder.iterdir()} for folder in folders)
    assert first.keys() == second.keys() >= {f"{table}.parquet" for table in COLUMNS} | {"summary.json", "config.yaml"}
    manifests = [json.loads(files.pop("manifest.json").read_text()) for files in (first, second)]
    for name in first:
        assert first[name].read_bytes() == second[name].read_bytes(), name
    for manifest in manifests:
        for field in VARYING:
            del manifest[field]
    assert manifests[0] == manifests[1]


def test_another_seed_gives_another_folder_and_other_numbers(sim, here):
    folders = [here / sim(*SMALL, f"seed={seed}").stdout.strip() for seed in (4, 5)]
    assert folders[0] != folders[1]
    assert (folders[0] / "monthly.parquet").read_bytes() != (folders[1] / "monthly.parquet").read_bytes()


def test_a_runs_own_config_file_runs_it_again(sim, here):
    done = sim(*SMALL, "scenario=us_only", "seed=4", "sim.markets.primary.spread_cap=0.6")
    folder = done.stdout.strip()
    assert sim("--cfg", "job", f"scenario={folder}/config.yaml", "seed=5").stdout.count("spread_cap: 0.6") == 1
    params = resolve([f"scenario={here / folder / 'config.yaml'}"])
    assert params.seed == 4 and run.folder_name(params) == Path(folder).name


def test_a_run_says_only_where_it_is_when_nobody_looks_on(sim, here):
    done = sim(*SMALL)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.count("\n") == 1 and (here / done.stdout.strip() / "manifest.json").is_file()
    assert [path.name for path in here.iterdir()] == ["outputs"]


def test_several_mistakes_are_named_together_and_nothing_is_written(sim, here):
    done = sim("agents.labs.count=-1", "agents.labs.from_clouds=1.4", "sim.markets.primry.spread_cap=0.3")
    assert done.returncode == 2 and done.stdout == ""
    for words in ("3 mistakes", "agents.labs.count = -1", "1.4", "Did you mean sim.markets.primary.spread_cap?"):
        assert words in done.stderr
    assert "Traceback" not in done.stderr and not list(here.iterdir())


def test_a_sweep_runs_every_point_and_leaves_nothing_else(sim, here):
    done = sim("-m", *SMALL, "scenario=us_only,china_only", "seed=range(0,2)", "outputs.root=swept")
    assert done.returncode == 0, done.stderr
    left = {str(path.relative_to(here)) for path in (here / "swept").iterdir()}
    assert left == {*done.stdout.split(), "swept/sweeps"} and len(done.stdout.split()) == 4
    assert "4 runs: 4 done, 0 complete before and reused, 0 failed, 0 missing" in done.stderr
    assert [path.name for path in here.iterdir()] == ["swept"]


def test_a_sweep_takes_files_of_ones_own(sim, here):
    (here / "mine.yaml").write_text("regions: [us]\n")
    done = sim("-m", *SMALL, "scenario=mine.yaml,us_only")
    assert done.returncode == 0, done.stderr
    assert [line.split("-")[0] for line in done.stdout.splitlines()] == ["outputs/mine", "outputs/us_only"]


def test_a_sweep_with_one_bad_point_starts_nothing(sim, here):
    done = sim("-m", *SMALL, "seed=1,2,-3")
    assert done.returncode == 2 and "seed = -3: out of range" in done.stderr
    assert not list(here.iterdir())


def test_help_lists_the_scenarios(sim):
    done = sim("--help")
    assert done.returncode == 0
    assert "us_only" in done.stdout and "horizon_years" in done.stdout and "make" not in done.stderr


def test_the_composed_configuration_can_be_printed(sim, here):
    done = sim("--cfg", "job", "seed=9")
    assert yaml.safe_load(done.stdout)["seed"] == 9 and not list(here.iterdir())


def test_a_root_that_cannot_be_written_is_one_clear_error(sim, here):
    (here / "file").write_text("")
    done = sim(*SMALL, "outputs.root=file/below")
    assert done.returncode == 2 and "file/below cannot be written" in done.stderr
    assert "outputs.root=FOLDER" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_an_interrupted_run_leaves_no_folder_that_looks_like_a_result(tmp_path, environment, number, code):
    line = [sys.executable, "-m", "sim", "size=class", "horizon_years=200", "outputs.root=."]
    with subprocess.Popen(line, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob(".tmp-baseline*")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        said = process.communicate(timeout=120)[1]
    assert process.returncode == code, said
    assert "Traceback" not in said
    left = [path.name for path in tmp_path.iterdir()]
    assert all(name.startswith(".tmp-") for name in left)
    assert number == signal.SIGKILL or not left


def test_a_folder_appears_whole_and_replaces_the_one_before(tmp_path):
    for text in ("one", "two"):
        with appearing(tmp_path, "run") as folder:
            (folder / "manifest.json").write_text(text)
            assert not (tmp_path / "run").exists() or text == "two"
    assert (tmp_path / "run" / "manifest.json").read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_failure_leaves_the_folder_before_as_it_was(tmp_path):
    with appearing(tmp_path, "run") as folder:
        (folder / "manifest.json").write_text("good")
    with pytest.raises(KeyboardInterrupt), appearing(tmp_path, "run") as folder:
        (folder / "manifest.json").write_text("half")
        raise KeyboardInterrupt
    assert (tmp_path / "run" / "manifest.json").read_text() == "good"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_is_no_run_is_never_replaced(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    with pytest.raises(Unwritable, match="not the folder of a run"), appearing(tmp_path, "run"):
        pass
    assert (tmp_path / "run" / "thesis.txt").read_text() == "mine"


def test_what_a_killed_run_left_is_swept_up_by_the_next(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, alive, other = hidden_name("run", gone.pid), hidden_name("run", os.getppid()), hidden_name("other", gone.pid)
    for name in (dead, hidden_name("run-old", gone.pid), alive, other):
        (tmp_path / name).mkdir()
    with appearing(tmp_path, "run") as folder:
        (folder / "manifest.json").write_text("")
    assert {path.name for path in tmp_path.iterdir()} == {"run", alive, other}


def blank() -> Picture:
    """A picture that nobody draws."""
    return Picture(("-c", ""))


class Stub:
    """An economy of three months that fails in the second when told to."""

    months_total = 3

    def __init__(self, params, error=None):
        from sim.record import Recorder

        self.recorder, self.error, self.month = Recorder(params.start), error, 0

    def step(self):
        if self.error and self.month == 1:
            raise self.error
        self.recorder.add("monthly", month=self.month, region="us", capex=1.0)
        self.month += 1


def test_a_failing_step_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "assemble", lambda params: Stub(params, RuntimeError("no")))
    with pytest.raises(RuntimeError, match="no"):
        run.simulate(resolve([f"outputs.root={tmp_path}"]))
    assert not list(tmp_path.iterdir())


def test_books_that_do_not_balance_end_the_command_with_3(tmp_path, monkeypatch, capsys):
    from sim import terminal

    unbalanced = type("BooksDoNotBalance", (RuntimeError,), {})("cash: month 1: 3 USD too many")
    monkeypatch.setattr(run, "assemble", lambda params: Stub(params, unbalanced))
    assert terminal.command([f"outputs.root={tmp_path}"], blank) == 3
    assert capsys.readouterr().err == "cash: month 1: 3 USD too many\n" and not list(tmp_path.iterdir())


def test_a_complete_run_is_reused_and_said_so_and_forced_ones_are_compared(tmp_path, monkeypatch, capsys):
    """The second call simulates nothing; the third finds the same; the fourth a byte changed meanwhile, and keeps both."""
    from sim import terminal

    monkeypatch.setattr(run, "assemble", Stub)
    line, codes, said = [f"outputs.root={tmp_path}"], [], []
    for flags in ([], [], ["--force"]):
        codes.append(terminal.command([*line, *flags], blank))
        said.append(capsys.readouterr().err)
    folder = run.outputs(resolve(line)) / run.folder_name(resolve(line))
    with (folder / "monthly.parquet").open("ab") as file:
        file.write(b"!")
    assert terminal.command([*line, "--force"], blank) == 4 and codes == [0, 0, 0]
    assert said[0] == "" and "is reused" in said[1] and "the same, bit for bit" in said[2]
    assert "differs in monthly.parquet" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {folder.name, f"{folder.name}-again"}


def test_tables_outlive_a_picture_that_cannot_be_drawn(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run, "assemble", Stub)
    folder = run.simulate(
        resolve([f"outputs.root={tmp_path}"]), lambda months, total: months, lambda: Picture(("-c", "raise OSError('no fonts')"))
    )
    assert (
        (folder / "monthly.parquet").is_file() and not (folder / "overview.png").exists() and "no fonts" in capsys.readouterr().err
    )


def test_numba_keeps_its_code_where_it_may_write(tmp_path, monkeypatch):
    """Beside the sources when possible; else in the user's cache, else in the temporary folder."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run.warm_cache()
    assert "NUMBA_CACHE_DIR" not in os.environ
    house = Path(run.__file__).parent
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != house)
    run.warm_cache()
    assert Path(os.environ["NUMBA_CACHE_DIR"]).parent == tmp_path
