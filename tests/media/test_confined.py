"""The kernel's limits on ffmpeg hold whatever a file makes it do."""

import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from media import limits
from media.commands import ProgramKilled, UnplayableMedia, run
from media.confined import leave_the_network
from media.decoders import can_decode
from media.transcode import transcode
from tests.media.making import make, pattern
from tests.web import wait_for


def in_python(code: str) -> str:
    """Return the output of a Python program that is run in the same way as ffmpeg."""
    output, _ = run([sys.executable, "-c", code], time_limit_s=10)
    return output.strip()


def test_a_program_has_the_limits_and_cannot_lift_them() -> None:
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU, resource.RLIMIT_CORE)

    said = in_python(f"import resource; print([resource.getrlimit(kind) for kind in {kinds}])")

    wanted = (limits.MEMORY, limits.WRITTEN, 10 * limits.CPU_S_A_SECOND + 1, 0)
    assert said == str([(most, most) for most in wanted])


@pytest.mark.long
def test_a_limit_that_is_lower_already_stays() -> None:
    inner = "import resource; print(resource.getrlimit(resource.RLIMIT_FSIZE))"
    lowered = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))"
    running = f"print(run([sys.executable, '-c', '{inner}'], time_limit_s=10)[0])"
    outer = f"import sys; from media.commands import run; {lowered}; {running}"

    said = subprocess.run([sys.executable, "-c", outer], check=True, capture_output=True, text=True, timeout=60)

    assert said.stdout.strip() == "(1000000, 1000000)"


def network_is_left() -> bool:
    """Return whether this machine permits leaving the network. A separate process tests it."""
    child = os.fork()
    if child == 0:
        os._exit(0 if leave_the_network() else 1)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has network namespaces")
def test_a_program_has_no_network_where_the_system_permits_it() -> None:
    if not network_is_left():
        pytest.skip("this machine permits no network namespace")
    interfaces = "import socket; print([name for _, name in socket.if_nameindex()])"

    assert set(eval(in_python(interfaces))) <= {"lo", "tunl0", "sit0", "ip6tnl0", "gre0", "gretap0", "erspan0"}
    connecting = "import socket; print(socket.socket().connect_ex(('127.0.0.1', 9)))"
    assert in_python(connecting) == "101"  # the network is unreachable: even this machine's own address


def test_a_file_that_would_become_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make(tmp_path / "in.mp4", *pattern(seconds=0.5), "-c:v", "libx264")
    assert can_decode("h264")  # read the list of decoders now: it is longer than the limit below
    monkeypatch.setattr(limits, "WRITTEN", 20_000)

    with pytest.raises(UnplayableMedia, match="would be larger than"):
        transcode(source, tmp_path / "made")
    assert not list((tmp_path / "made").iterdir())


@pytest.mark.long
def test_a_file_that_needs_too_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The program takes 250 MiB with all its threads, the first picture 270: nothing but the picture can fail.
    source = make(tmp_path / "in.mov", *pattern("8192x4320", "10", 0.1), "-c:v", "png", "-pix_fmt", "rgba64be")
    monkeypatch.setattr(limits, "MEMORY", 480 * 2**20)

    with pytest.raises(UnplayableMedia, match="of memory to be decoded"):
        transcode(source, tmp_path / "made")
    assert not list(tmp_path.glob("made/*"))


def test_a_flood_of_complaints_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SAID", 100)
    _, complaints = run([sys.executable, "-c", "import sys; sys.stderr.write('x' * 10**6 + 'end')"], time_limit_s=10)

    assert complaints == "x" * 97 + "end"


def test_a_program_that_is_not_there_is_trouble_of_this_machine(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="could not work here"):
        run([str(tmp_path / "ffmpeg")], time_limit_s=10)


@pytest.mark.long
def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    late = f"import pathlib, time; time.sleep(1); pathlib.Path({str(tmp_path / 'late')!r}).touch()"

    with pytest.raises(UnplayableMedia, match=r"longer than 0\.2 seconds"):
        run([sys.executable, "-c", late], time_limit_s=0.2)
    assert (
        in_python("import time; time.sleep(1); print('next')") == "next"
    )  # the limit applied only to the first command
    assert not (tmp_path / "late").exists()


def test_programs_are_started_by_one_that_stays() -> None:
    parents = {in_python("import os; print(os.getppid())") for _ in range(3)}

    assert len(parents) == 1


def test_the_one_that_starts_programs_is_replaced_if_it_is_ended() -> None:
    with pytest.raises(ProgramKilled):
        in_python("import os, signal; os.kill(os.getppid(), signal.SIGKILL); import time; time.sleep(60)")

    assert in_python("print('on we go')") == "on we go"


def test_each_thread_has_its_own_that_ends_with_it() -> None:
    with ThreadPoolExecutor(1) as pool:
        launcher = psutil.Process(int(pool.submit(in_python, "import os; print(os.getppid())").result()))
        assert launcher.is_running()

    wait_for(lambda: not launcher.is_running() or launcher.status() == psutil.STATUS_ZOMBIE, "it lives on", within_s=5)
    assert in_python("print('on we go')") == "on we go"


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_killed_worker_leaves_no_ffmpeg_behind(tmp_path: Path) -> None:
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)", str(tmp_path)]
    worker = subprocess.Popen(
        [sys.executable, "-c", f"from media.commands import run; run({sleeping}, time_limit_s=60)"]
    )

    def started() -> psutil.Process | None:
        children = psutil.Process(worker.pid).children(recursive=True)
        return next((one for one in children if one.cmdline()[1:2] == ["-c"]), None)

    child = wait_for(started, "nothing was started")
    worker.send_signal(signal.SIGKILL)
    worker.wait()

    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "it lives on", within_s=5)
