"""``make test-cluster``: launchers that are optional extras. Apart from ``make test``, which finds ``test_*.py`` alone.

Every launcher must leave the bytes that the default one leaves. Ray is a cluster of two nodes on loopback, SLURM one node from
the system's packages, both started and ended here.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sim.claims import held
from sim.folders import differences

SWEPT = ("-m", "size=class", "horizon_years=1", "sim.build.burn_in=1", "scenario=us_only,china_only", "seed=range(0,2)")
SLURM_CONF = """\
ClusterName=rehearsal
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={other}
AuthType=auth/none
CredType=cred/none
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={home}
SlurmdSpoolDir={home}/spool
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000
PartitionName=all Nodes=ALL Default=YES
"""


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def calm(tmp_path_factory) -> Path:
    """An undisturbed sweep by the default launcher."""
    folder = tmp_path_factory.mktemp("calm")
    done = subprocess.run([sys.executable, "-m", "sim", *SWEPT, f"outputs.root={folder}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def ray(tmp_path_factory) -> Iterator[str]:
    """Address of a cluster of two nodes with one core each."""
    command = Path(sys.executable).with_name("ray")
    assert command.exists(), "Ray is not installed: make test-cluster installs it."
    address, line = f"127.0.0.1:{free_port()}", [str(command), "start", "--num-cpus=1", "--block", "--disable-usage-stats"]
    ports = [f"--dashboard-agent-listen-port={free_port()}", "--node-ip-address=127.0.0.1"]
    head = ["--head", f"--port={address.partition(':')[2]}", "--include-dashboard=false", "--temp-dir=/tmp/caploop-ray"]
    with ExitStack() as stack:
        for words in ([*head, *ports], [f"--address={address}", "--node-ip-address=127.0.0.1"]):
            node = subprocess.Popen([*line, *words], stdout=-3, stderr=-3, start_new_session=True)
            stack.callback(node.wait)
            stack.callback(node.terminate)
            time.sleep(8)
            assert node.poll() is None, "a node of Ray did not start"
        yield address


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> Iterator[None]:
    """A SLURM of this machine alone; its commands find it by the environment."""
    path = os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"))
    missing = [name for name in ("slurmctld", "slurmd", "sbatch", "squeue", "scontrol") if not shutil.which(name, path=path)]
    assert not missing, f"{', '.join(missing)} not found. Install SLURM, on Debian by: apt-get install slurm-wlm"
    assert os.getuid() == 0, "a SLURM of one's own is started as root: run make test-cluster as root, in a container"
    home = tmp_path_factory.mktemp("slurm")
    config = home / "slurm.conf"
    host = socket.gethostname().partition(".")[0]
    config.write_text(SLURM_CONF.format(host=host, home=home, user="root", port=free_port(), other=free_port()))
    os.environ["SLURM_CONF"] = str(config)
    with ExitStack() as stack:
        for name in ("slurmctld", "slurmd"):
            program = shutil.which(name, path=path)
            daemon = subprocess.Popen([str(program), "-D", "-f", str(config)], stdout=-3, stderr=-3)
            stack.callback(daemon.wait)
            stack.callback(daemon.terminate)
        deadline = time.monotonic() + 60
        while "idle" not in (found := subprocess.run(["sinfo", "-h"], capture_output=True, text=True).stdout):
            assert time.monotonic() < deadline, f"SLURM did not start: {found}; see {home}"
            time.sleep(0.5)
        yield
    del os.environ["SLURM_CONF"]


@contextmanager
def begun(line: list[str], folder: Path, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A sweep at the moment when a run is under way, and the process that is at it."""
    with subprocess.Popen(line, cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=-3, text=True) as command:
        while not (at_work := list(filter(None, held(folder / "out").values()))):
            assert command.poll() is None, command.communicate()[1]
            time.sleep(0.02)
        yield command, int(at_work[0].split()[1])


def same(calm: Path, other: Path) -> bool:
    """Whether two folders hold the same four runs, byte by byte, and nothing half done."""
    first, second = ({path.parent.name: path.parent for path in root.glob("*/manifest.json")} for root in (calm, other))
    assert len(first) == 4 and first.keys() == second.keys() and not list(other.glob(".tmp-*"))
    return not [run for run in first if differences(first[run], second[run])]


@pytest.mark.parametrize("launcher", ["basic", "submitit_local"])
def test_a_sweep_leaves_the_same_bytes_under_every_launcher(sim, here, calm, launcher):
    done = sim(*SWEPT, f"hydra/launcher={launcher}", "outputs.root=out")
    assert done.returncode == 0 and "4 done" in done.stderr, done.stderr
    assert same(calm, here / "out")


def test_slurm_leaves_the_same_bytes_though_the_command_and_a_job_are_killed(sim, here, calm, slurm, environment):
    """Jobs outlive the command that submitted them; given again, it finishes what is missing and waits for what is under way."""
    settings = ("hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1", "hydra.launcher.timeout_min=10")
    words = [*SWEPT, "hydra/launcher=submitit_slurm", *settings, "outputs.root=out"]
    with begun([sys.executable, "-m", "sim", *words], here, environment) as (command, worker):
        command.kill()
        os.kill(worker, signal.SIGKILL)
        assert command.wait() == -signal.SIGKILL
    done = sim(*words)
    assert done.returncode == 0 and "0 failed, 0 missing" in done.stderr, done.stderr
    assert same(calm, here / "out")


def test_ray_leaves_the_same_bytes_though_a_worker_is_killed(sim, here, calm, ray, environment):
    """The task of the worker that was killed is done again, by the same command."""
    words = [*SWEPT, "hydra/launcher=ray", f"hydra.launcher.ray.init.address='{ray}'", "outputs.root=out"]
    with begun([sys.executable, "-m", "sim", *words], here, environment) as (command, worker):
        os.kill(worker, signal.SIGKILL)
        said = command.communicate(timeout=300)[1]
    assert command.returncode == 0 and "4 done" in said, said
    assert same(calm, here / "out")
