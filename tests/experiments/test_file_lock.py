"""File lock: one owner at a time, named to the others, and free when the owner is dead."""

import errno
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys

from memtape.experiments.file_lock import file_lock, owner_of

HOLD = "import sys, time; from pathlib import Path; from memtape.experiments.file_lock import file_lock\n" + (
    "with file_lock(Path(sys.argv[1])):\n    print('locked', flush=True); time.sleep(100)"
)


def test_the_owner_is_named_by_its_process_its_host_and_the_time(tmp_path):
    with file_lock(tmp_path / "lock"):
        owner = owner_of(tmp_path / "lock")
        assert re.fullmatch(
            rf"process {os.getpid()} on {re.escape(socket.gethostname())} since 20\d\d-\d\d-\d\d .*", owner
        )
    assert owner_of(tmp_path / "lock") == "another process"


def test_a_damaged_owner_is_another_process(tmp_path):
    (tmp_path / "lock").write_text('{"process": "none"}')
    assert owner_of(tmp_path / "lock") == "another process"


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path):
    file = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, file], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"locked\n"
        with file_lock(file) as lock:
            assert lock is None
        assert owner_of(file).startswith(f"process {process.pid} on ")
        process.send_signal(signal.SIGKILL)
    with file_lock(file) as lock:
        assert lock is not None
        assert owner_of(file).startswith(f"process {os.getpid()} on ")


def test_a_file_system_without_locks_is_used_without_them(tmp_path, monkeypatch):
    def without_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without_locks)
    with file_lock(tmp_path / "lock") as lock:
        assert lock is not None
