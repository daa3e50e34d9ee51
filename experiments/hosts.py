"""Several hosts, on each of which the same command runs: they join, and end together.

Where a host does not come, or is lost, JAX aborts the processes of the others in the middle of whatever they do, and
writes pages. So each command starts itself once more as a worker, watches that, and says in one line what ended it.
What compiled code prints comes to the watcher, what Python prints goes where it always does.
"""

import atexit
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from absl import flags

from asd_jax.errors import InputError

FLAGS = flags.FLAGS
_WORKER = "ASD_JAX_WATCHED_BY"  # in a worker's environment: its end of the socket to the process that watches it
_JOINED = b"asd_jax: joined\n"  # tells the watcher
_ABORTED = "distributed service detected fatal errors"  # JAX's last words
_SILENT = re.compile(r"stopped sending heartbeats\):\s+(\d+)")
_LOST = re.compile("Gloo|NCCL|RCCL|UNAVAILABLE|ABORTED")


def wanted() -> bool:
    """Whether the flags say that there are several hosts."""
    return FLAGS.distributed or FLAGS.coordinator_address is not None


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Around what several hosts do together; where the flags speak of none, nothing is done.

    Of a command it returns in the worker alone; the process that watches it ends here.
    """
    _check()
    if not wanted():
        yield
        return
    descriptor = os.environ.pop(_WORKER, None)
    if descriptor is None:
        sys.exit(watch())
    _become_worker(int(descriptor))
    _join()
    status = 1
    # JAX's own handler, which is there by now and so runs after this one, would wait for others who wait for this host.
    atexit.register(lambda: status and _end(status))
    try:
        yield
        status = 0
    except KeyboardInterrupt:
        status = 130
        raise
    except RuntimeError as error:
        if _LOST.search(str(error)):
            time.sleep(FLAGS.lost_seconds + 5)  # JAX finds out meanwhile which host was lost, and ends this process
        raise


def watch() -> int:
    """Run this command once more as a worker; gives its exit status, and where it did not end by itself says why."""
    ours, theirs = socket.socketpair()
    environment = os.environ | {_WORKER: str(theirs.fileno())}
    command = [sys.executable, *sys.orig_argv[1:]]
    worker = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()])
    theirs.close()
    stopped = []

    def stop(number: int, frame: object) -> None:
        stopped.append(number)
        worker.kill()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the worker, too
    printed = b""
    while part := ours.recv(65536):
        printed = (printed + part)[-1_000_000:]
    status = worker.wait()
    if FLAGS.debug:
        sys.stderr.write(printed.decode(errors="replace"))
    if stopped:
        return 128 + stopped[0]
    if status < 0:
        print(f"error: {reason(printed.decode(errors='replace'), -status)}", file=sys.stderr)
        return 1
    return status


def reason(printed: str, number: int) -> str:
    """Why a worker was ended by a signal.

    Args:
        printed: by its compiled code.
        number: of the signal.
    """
    if _ABORTED not in printed:
        return f"the process of this host was ended by {signal.Signals(number).name}; --debug shows what it printed"
    if _JOINED.decode() not in printed:
        return (
            f"the hosts did not all come together within --join_seconds={FLAGS.join_seconds}; start the command on "
            "each, with one --coordinator_address that all can reach, their --num_processes, and another --process_id "
            "each"
        )
    silent = _SILENT.search(printed)
    lost = f"host {silent[1]}" if silent else "the first host" if "leader task" in printed else "another host"
    mend = "--resume --workdir=RUN goes on, on any number of hosts"
    return f"{lost} ended or cannot be reached; what it said last may say why. {mend}"


def _check() -> None:
    """Raise InputError for flags that do not go together."""
    by_hand = ("coordinator_address", "num_processes", "process_id")
    missing = [name for name in by_hand if FLAGS[name].value is None]
    if len(missing) < len(by_hand):
        if FLAGS.distributed:
            raise InputError("`distributed` finds the hosts by itself; leave out `coordinator_address` and its like")
        if missing:
            raise InputError(f"`{missing[0]}` is missing: {', '.join(f'`{name}`' for name in by_hand)} go together")
        if not re.fullmatch(r".+:\d+", FLAGS.coordinator_address):
            raise InputError(f"`coordinator_address={FLAGS.coordinator_address}`: give HOST:PORT, such as node1:12345")
        if FLAGS.process_id >= FLAGS.num_processes:
            raise InputError(
                f"`process_id={FLAGS.process_id}`: {FLAGS.num_processes} hosts are numbered from 0 to "
                f"{FLAGS.num_processes - 1}"
            )
    elif not FLAGS.distributed:
        for name in ("join_seconds", "lost_seconds"):
            if FLAGS[name].present:
                raise InputError(f"`{name}` has no effect here: it is for several hosts, or leave it out")


def _become_worker(descriptor: int) -> None:
    """Part what Python prints from what compiled code does, and end with the process that watches."""
    for number, stream in ((1, "stdout"), (2, "stderr")):
        before = getattr(sys, stream)
        before.flush()
        # By lines, so that a process that is aborted loses none.
        kept = os.fdopen(os.dup(number), "w", 1, before.encoding, before.errors)
        os.dup2(descriptor, number)
        setattr(sys, stream, kept)

    def end_with_watcher() -> None:
        os.read(descriptor, 1)  # nothing ever comes but the end
        os._exit(1)

    threading.Thread(target=end_with_watcher, daemon=True).start()


def _join() -> None:
    from asd_jax.training import hosts

    hosts.join(
        FLAGS.coordinator_address,
        FLAGS.num_processes,
        FLAGS.process_id,
        join_seconds=FLAGS.join_seconds,
        lost_seconds=FLAGS.lost_seconds,
    )
    os.write(1, _JOINED)
    print(hosts.in_words(), flush=True)
    if not hosts.is_first():
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (to the end; the first speaks for all)


def _end(status: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
