"""The scripts of this checkout, run as a user would run them."""

import signal
import subprocess
import sys
from pathlib import Path

from lib.errors import Interrupted

ROOT = Path(__file__).resolve().parents[2]


def call(arguments: list[str], data_dir: Path) -> bool:
    """Run a script; whether it came to its end. A signal stops it, once it has saved, and then this program."""
    print(f"\n$ python {' '.join(arguments)}", flush=True)
    line = [sys.executable, str(ROOT / arguments[0]), *arguments[1:], f"--data_dir={data_dir}"]
    with subprocess.Popen(line) as process:
        former = {number: signal.signal(number, lambda received, frame: process.send_signal(received))
                  for number in (signal.SIGINT, signal.SIGTERM)}
        code = process.wait()
    for number, handler in former.items():
        signal.signal(number, handler)
    if code < 0 or code > 128:
        raise Interrupted(abs(code) % 128)
    return code == 0
