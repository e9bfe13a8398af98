"""Starts the workers of a `--strategy multi_worker` run on this machine, and all of them again when one is lost.

    python -m lib.workers 2 mergan.py --dataset mnist --RA --strategy multi_worker --result_path mnist_RA/

Any script that trains may stand there.
Over several machines, start the same command on each with TensorFlow's TF_CONFIG in the environment. The first worker
keeps the run and prints; the others only compute.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from lib.errors import TryAgain

_RESTARTS = 10
_POLL_SECONDS = 0.2


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in sockets]


def start(count: int, command: list[str]) -> Iterator[subprocess.Popen]:
    """Starts one worker after the other, each told by TF_CONFIG where all of them are and which one it is."""
    addresses = [f"localhost:{port}" for port in _free_ports(count)]
    for number in range(count):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}
        silent = {"TQDM_DISABLE": "1"} if number else {}
        yield subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL if number else None,
                               env={**os.environ, **silent, "TF_CONFIG": json.dumps(cluster)})


def wait(workers: list[subprocess.Popen]) -> int:
    """0 when all are done; negative or `TryAgain`'s code when one was lost; else the code with which one gave up.

    No worker runs any more then.
    """
    while any(worker.poll() is None for worker in workers) and not any(worker.poll() for worker in workers):
        time.sleep(_POLL_SECONDS)
    codes = [code for worker in workers if (code := worker.poll())]
    for worker in workers:
        # Those told to stop leave together, in their own time; the others would wait for the lost one.
        if not codes or codes[0] <= 128:
            worker.kill()
        worker.wait()
    return codes[0] if codes else 0


def run(count: int, command: list[str]) -> int:
    """Exit code of the run: that of the first worker to give up, for good or after `_RESTARTS` losses."""
    workers, told = [], []

    def pass_on(number, frame):
        told.append(number)
        for worker in workers:
            worker.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    for _ in range(1 + _RESTARTS):
        workers.clear()
        for worker in start(count, command):
            workers.append(worker)
            if told:  # before there was this worker
                worker.send_signal(told[0])
        code = wait(workers)
        if told or not (code < 0 or code == TryAgain.exit_code):
            break
        print(f"a worker was lost ({code}): starting all of them again", file=sys.stderr, flush=True)
    return 128 - code if code < 0 else code


def main(arguments: list[str]) -> int:
    if len(arguments) < 2 or not arguments[0].isdigit() or not int(arguments[0]):
        print("error: how many workers, and which script? python -m lib.workers 2 mergan.py --dataset mnist ... "
              "--strategy multi_worker", file=sys.stderr)
        return 2
    if not any("multi_worker" in argument for argument in arguments):
        print("error: without --strategy multi_worker every worker would train a run of its own in the same place; add "
              "it", file=sys.stderr)
        return 2
    return run(int(arguments[0]), arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
