"""A real Slurm on this machine: munge, its database, the controller and two nodes; gone afterwards.

Debian 12's packages (slurm-wlm, slurmdbd, munge, mariadb-server), as root, without systemd. Known:
the executor plugin takes SLURM_CONF from the environment of what it starts, so the configuration
must also lie where Slurm was compiled to look; without cgroups Slurm looks at memory every two seconds,
and a job over its memory ends FAILED and not OUT_OF_MEMORY.
"""

import ctypes
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

COMPILED_IN = Path("/etc/slurm/slurm.conf")
# What that is a link to while tests run.
OWN_CONFIG = "scanmill-tests.conf"
PROGRAMS = ("slurmctld", "slurmdbd", "slurmd", "sbatch", "munged", "mariadbd", "mariadb-install-db")
# In the environment of all that runs here, to be found by.
MARK = "SCANMILL_TEST_CLUSTER"
NODES = ("n1", "n2")
CPUS, MEMORY_MB = 4, 16000
PORTS = {"slurmctld": 16817, "slurmdbd": 16819, "n1": 17001, "n2": 17002}
SECONDS_TO_START = 60
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)

DATABASE_DAEMON = """
AuthType=auth/munge
AuthInfo=socket={state}/munge.socket
DbdHost=localhost
DbdPort={ports[slurmdbd]}
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm
LogFile={state}/slurmdbd.log
PidFile={state}/slurmdbd.pid
"""
CLUSTER = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={state}/munge.socket
CredType=cred/munge
SlurmctldPort={ports[slurmctld]}
StateSaveLocation={state}/controller
SlurmctldPidFile={state}/slurmctld.pid
SlurmctldLogFile={state}/slurmctld.log
SlurmdPidFile={state}/slurmd.%n.pid
SlurmdLogFile={state}/slurmd.%n.log
SlurmdSpoolDir={state}/spool.%n
SlurmdParameters=config_overrides
SlurmdTimeout=10
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
KillWait=2
InactiveLimit=0
MailProg=/bin/true
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={ports[slurmdbd]}
AccountingStoragePass={state}/munge.socket
AccountingStorageEnforce=associations,limits
AccountingStoreFlags=job_comment
JobCompType=jobcomp/none
{nodes}
PartitionName=main Nodes={names} Default=YES MaxTime=120 DefaultTime=1 DefMemPerCPU=100 State=UP
"""


def lacking() -> str | None:
    """Why no Slurm can run here, if so."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "a Slurm of one's own needs root"
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} not installed"
    _clear_away_a_killed_one()
    if os.path.lexists(COMPILED_IN):
        return f"this machine has a Slurm already ({COMPILED_IN})"
    return None


def _clear_away_a_killed_one() -> None:
    """Remove what tests that were killed left: those that run hold a lock on their configuration."""
    if not (COMPILED_IN.is_symlink() and COMPILED_IN.readlink().name == OWN_CONFIG):
        return
    with suppress(FileNotFoundError), open(COMPILED_IN) as config:
        try:
            fcntl.flock(config, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
    _kill_what_is_left(COMPILED_IN.readlink().parent)
    COMPILED_IN.unlink()


@contextmanager
def slurm(state: Path) -> Iterator[None]:
    """Slurm in a new folder, while the block runs; SLURM_CONF says where."""
    daemons: list[subprocess.Popen] = []
    folders = ["controller", "database", *(f"spool.{node}" for node in NODES)]
    for folder in folders:
        (state / folder).mkdir(parents=True)
    config = _write_config(state)
    with open(config) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        COMPILED_IN.parent.mkdir(exist_ok=True)
        COMPILED_IN.symlink_to(config)
        os.environ |= {"SLURM_CONF": str(config), MARK: str(state)}
        try:
            _start(state, daemons)
            yield
        finally:
            _succeeds("scancel", "--me")
            for daemon in reversed(daemons):
                _stop(daemon)
            COMPILED_IN.unlink()
            del os.environ["SLURM_CONF"], os.environ[MARK]
            _kill_what_is_left(state)


def _kill_what_is_left(state: Path) -> None:
    """End processes of jobs that Slurm, without cgroups, has lost sight of."""
    mark = f"{MARK}={state}\0".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


def _write_config(state: Path) -> Path:
    node = (
        f"NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 CPUs={CPUS} RealMemory={MEMORY_MB}"
    )
    said = {
        "state": state,
        "ports": PORTS,
        "host": socket.gethostname(),
        "nodes": "\n".join(f"NodeName={name} {node} Port={PORTS[name]}" for name in NODES),
        "names": ",".join(NODES),
    }
    (state / "slurmdbd.conf").write_text(DATABASE_DAEMON.format(**said))
    (state / "slurmdbd.conf").chmod(0o600)
    (state / OWN_CONFIG).write_text(CLUSTER.format(**said))
    (state / "munge.key").write_bytes(secrets.token_bytes(1024))
    (state / "munge.key").chmod(0o600)
    return state / OWN_CONFIG


def _start(state: Path, daemons: list[subprocess.Popen]) -> None:
    def daemon(*command: str, **environment: str) -> None:
        with open(state / f"{command[0]}.out", "ab") as output:
            daemons.append(
                subprocess.Popen(
                    command,
                    env=os.environ | environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    preexec_fn=_end_with_parent,
                )
            )

    database, socket_of_munge = f"{state}/database", f"{state}/munge.socket"
    own = ("--no-defaults", "--user=root")
    daemon(
        *("munged", "--foreground", "--force", f"--key-file={state}/munge.key"),
        *(f"--socket={socket_of_munge}", f"--pid-file={state}/munge.pid"),
        *(f"--log-file={state}/munge.log", f"--seed-file={state}/munge.seed"),
    )
    make = ("--auth-root-authentication-method=normal", "--skip-test-db", f"--datadir={database}")
    subprocess.run(["mariadb-install-db", *own, *make], check=True, stdout=subprocess.DEVNULL)
    daemon(
        *("mariadbd", *own, f"--datadir={database}", f"--socket={state}/mysql.socket"),
        *("--skip-networking", f"--pid-file={state}/mariadb.pid"),
        *("--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0"),
    )
    root = ("--no-defaults", f"--socket={state}/mysql.socket", "-u", "root", "ping")
    _wait(lambda: _succeeds("mariadb-admin", *root), "mariadb", state)
    _wait(lambda: _succeeds("munge", "-n", f"--socket={socket_of_munge}"), "munge", state)
    # It takes "localhost" for the socket of the machine's own database, unless this says another.
    daemon("slurmdbd", "-D", MYSQL_UNIX_PORT=f"{state}/mysql.socket")
    _wait(lambda: _succeeds("sacctmgr", "-n", "show", "cluster"), "slurmdbd", state)
    for entity in (
        ("cluster", "tests"),
        ("account", "lab", "Cluster=tests"),
        ("user", "root", "Account=lab", "DefaultAccount=lab"),
    ):
        subprocess.run(
            ["sacctmgr", "-i", "-Q", "add", *entity],
            check=True,
            timeout=30,
            stdout=subprocess.DEVNULL,
        )
    daemon("slurmctld", "-D")
    _wait(lambda: _succeeds("scontrol", "ping"), "slurmctld", state)
    for node in NODES:
        daemon("slurmd", "-D", "-N", node)
    _wait(lambda: set(idle_nodes()) == set(NODES), "the nodes", state)


def idle_nodes() -> list[str]:
    return told("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split()


def told(*command: str) -> str:
    """What a command of Slurm prints."""
    return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout


def _succeeds(*command: str) -> bool:
    # sacctmgr hangs where slurmdbd is up and does not believe who asks.
    try:
        return subprocess.run(command, capture_output=True, timeout=5).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _wait(ready: Callable[[], bool], name: str, state: Path) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while not ready():
        if time.monotonic() > end:
            logs = [f"{log.name}:\n{log.read_text()[-2000:]}" for log in state.glob("*.log")]
            raise TimeoutError(f"{name} did not start\n" + "\n".join(logs))
        time.sleep(0.1)


def _end_with_parent() -> None:
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(daemon: subprocess.Popen) -> None:
    daemon.terminate()
    try:
        daemon.wait(20)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def accounted() -> list[dict[str, str]]:
    """What Slurm says of each job and job step so far."""
    columns = "JobID,Comment,State,Timelimit,ReqMem,MaxRSS,AllocCPUS,NodeList"
    lines = told("sacct", "-a", "-P", "-n", "-D", "-o", columns).splitlines()
    return [dict(zip(columns.split(","), line.split("|"), strict=True)) for line in lines]
