"""The loop that every system runs: iterations in chunks, progress, log, events, resume points, signals, bad numbers.

It knows no system. A system names its state, then runs phase after phase (tasks, epochs, distributions) by giving a
function that advances the training and a list of what has to happen at which iteration.
"""

import contextlib
import dataclasses
import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import Callable, Sequence

import tensorflow as tf
from tqdm import tqdm

from lib import device, files
from lib.errors import STOPPING, Interrupted, UserError
from lib.run import cost, output, place, provenance, replicas
from lib.run.log import Log
from lib.run.options import Options
from lib.run.place import FINISHED, as_stored, check_settings
from lib.run.resume import ResumePoints

_CHUNK_SECONDS = 2.0  # one call of `advance` takes about this long, so that signals are answered soon
_SIGPIPE = 13  # which Windows does not name
_SHARED_CHUNK = 10  # iterations of a call where several workers must make the same calls
_HEARD = b"\nstopping as soon as everything is saved; Ctrl-C once more ends at once, without saving\n"


@dataclasses.dataclass(frozen=True)
class Event:
    """Something to do after the iterations that `due` names (iterations count from 0 in every phase)."""

    due: Callable[[int], bool]
    action: Callable[[int], None]


class Run:
    """One training run in one directory, which it holds locked. Use as a context manager.

    Args:
      directory: made if missing; must be free or hold a run with the same settings.
      settings: JSON-able; stored, compared at resume.
      state: name -> Keras model, optimiser or variable; what a resume point holds.
      lengths: iterations of each phase. The log counts them all, from 0.
      whole: what all phases together are, for the line that says how long they take, as "all 10 tasks".
      data: what is learned; a run goes on with the data that it began with.
      strategy: whose replicas share the steps. Of several workers the first keeps the run in `directory`, the others
        work in directories of their own, which go at the end; they may give None for a run that is not there yet.
    """

    def __init__(self, directory: Path | None, settings: dict, state: dict, options: Options, lengths: Sequence[int],
                 whole: str = "the whole run", data: place.Origin | None = None,
                 strategy: tf.distribute.Strategy | None = None):
        self.directory = directory and Path(directory)
        self.lengths = tuple(lengths)
        self.log: Log | None = None  # from `__enter__` on
        self._settings = as_stored(settings)
        self._state = state
        self._options = options
        self._strategy = strategy
        self._stop_together = replicas.stop_together(strategy)
        self._signal = 0
        self._whole = whole
        self._data = data
        self._pace, self._progress = cost.Pace(), cost.Progress()
        self._label = ""  # of the current phase
        self._done = 0  # iterations of the current phase

    def __enter__(self) -> "Run":
        with contextlib.ExitStack() as stack:
            self.directory = stack.enter_context(replicas.directory(self._strategy, self.directory))
            files.make_directory(self.directory)
            stack.enter_context(files.lock(self.directory))
            known = check_settings(self.directory, self._settings)
            if known and self._options.resume == "never":
                raise UserError(f"{self.directory} already holds this run; start without --resume=never to go on "
                                "with it, or choose another result path")
            place.check_circumstances(self.directory, self._circumstances())
            files.remove_temporaries(self.directory, others="settings.json")
            files.write_json(self.directory / "settings.json", self._settings)
            place.write_circumstances(self.directory, self._circumstances())
            self._points = ResumePoints(self.directory, self._state)
            self._restored = self._points.restore()
            if self._restored:
                print(f"resuming {self.directory} at phase {self.phase}, iteration {self.iteration}")
            self._provenance = provenance.Provenance(self.directory, device.described(), self._restored)
            for number in (signal.SIGINT, *STOPPING):
                # nohup has a closed terminal ignored. Shells have their background jobs ignore interrupts, too, but who
                # sends one to such a job means it.
                if signal.Signals(number).name != "SIGHUP" or signal.getsignal(number) is not signal.SIG_IGN:
                    stack.callback(signal.signal, number, signal.signal(number, self._remember_signal))
            self.log = Log(self.directory, self.first_step + self.iteration, self._points.note.numpy().decode())
            stack.callback(self.log.close)
            if not self._restored:
                self.log.hyperparameters(self._settings)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    def _circumstances(self) -> dict:
        """What is not set but given: `place.CIRCUMSTANCES` holds it."""
        data = {"data": self._data.source, "data_fingerprint": self._data.fingerprint} if self._data else {}
        return {"threads": device.threads(), "versions": provenance.libraries(), **data}

    @property
    def phase(self) -> int:
        return int(self._points.phase)

    @property
    def iteration(self) -> int:
        """Iterations done in the current phase."""
        return int(self._points.iteration)

    @property
    def is_complete(self) -> bool:
        return self.phase >= len(self.lengths)

    @property
    def first_step(self) -> int:
        """The log's step of the current phase's iteration 0."""
        return sum(self.lengths[:self.phase])

    def train(self, advance, events: list[Event], label: str = "") -> None:
        """Run the rest of the current phase's iterations.

        Args:
          advance: (first, count) -> {quantity: {iteration: value}} for iterations first ... first + count - 1.
          label: of the progress bar.
        """
        total, first_step = self.lengths[self.phase], self.first_step
        done, chunk, saved, period = self.iteration, 1, time.monotonic(), self._options.checkpoint_every
        self._done, self._label = done, label
        # The bar counts finished iterations; it goes to standard error, the log lines to standard output.
        with tqdm(total=total, initial=done, desc=label, unit="it", file=sys.stderr, dynamic_ncols=True,
                  disable=None) as bar:
            while done < total:
                last = next(i for i in range(done, total) if i in (total - 1, done + chunk - 1)
                            or period.ends_after(i, 0.0) or any(event.due(i) for event in events))
                started = time.monotonic()
                values = advance(done, last - done + 1)
                self._say_cost(done, last - done + 1, time.monotonic() - started)
                self._refuse_bad_numbers(values, label)
                self.log.add({name: {first_step + i: value for i, value in by_iteration.items()}
                              for name, by_iteration in values.items()})
                count = last - done + 1
                chunk = _SHARED_CHUNK if self._stop_together else max(
                    1, int(_CHUNK_SECONDS * count / max(time.monotonic() - started, 1e-9)))
                done = self._done = last + 1
                bar.update(count)
                for event in events:
                    if event.due(last):
                        event.action(last)
                stop = self._told_to_stop()
                if stop or period.ends_after(last, time.monotonic() - saved):
                    self._save(self.phase, done, stop)
                    saved = time.monotonic()

    def next_phase(self) -> None:
        """Close the current phase; what follows starts at iteration 0 of the next."""
        self._save(self.phase + 1, 0, self._told_to_stop())

    def answer_signals(self) -> None:
        """Stop here, saved, if a signal came: for long work between the iterations of two phases."""
        if self._told_to_stop():
            self._save(self.phase, self._done, True)

    def log_point(self, iteration: int) -> dict[str, float]:
        """Write a log point after an iteration of the current phase, and say how far the whole run is.

        Returns the means since the last one.
        """
        means = self.log.flush(self.first_step + iteration)
        line = self._progress.line(self.first_step + self._done, sum(self.lengths), self._whole.partition(",")[0])
        if line:
            tqdm.write(f"{line}; {self._label}: iteration {self._done} of {self.lengths[self.phase]}")
            sys.stdout.flush()  # a log file should grow while the run does
        return means

    def finish(self, test: str) -> None:
        """Mark the run as finished, and say where it is.

        Args:
          test: the command line that evaluates it.
        """
        self._provenance.write()
        files.write_text(self.directory / FINISHED, "")
        print(f"finished: the results are in {self.directory}; evaluate them with: {test}", flush=True)

    def _say_cost(self, first: int, count: int, seconds: float) -> None:
        """Once, after the first iterations: how long it will take from there on."""
        if self._pace.is_known:
            return
        self._pace.add(count, seconds)
        if self._pace.is_known:
            left = sum(self.lengths) - self.first_step - first - count
            line = self._pace.line(left, f"the rest of {self._whole}" if self._restored else self._whole)
            if line:
                tqdm.write(line)

    def _save(self, phase: int, iteration: int, stop: bool) -> None:
        """Write a resume point, and stop there if asked to."""
        self._points.save(phase, iteration, self.log.settle() if self.log else "")
        self._provenance.write()
        if stop:
            raise Interrupted(self._signal)

    def _told_to_stop(self) -> bool:
        """Whether a signal came to this worker or, then as SIGTERM, to another one, or nobody takes what it prints."""
        if output.lost():
            self._signal = self._signal or _SIGPIPE
        if self._stop_together and self._stop_together(bool(self._signal)):
            self._signal = self._signal or signal.SIGTERM
        return bool(self._signal)

    def _remember_signal(self, number, frame) -> None:
        """The first signal is answered at the next iteration's end; a second interrupt ends at once."""
        if self._signal and number == signal.SIGINT:
            raise KeyboardInterrupt
        if number == signal.SIGINT:
            with contextlib.suppress(OSError):
                os.write(2, _HEARD)  # print is not for handlers: it may have been at work when the signal came
        self._signal = number

    def _refuse_bad_numbers(self, values, label: str) -> None:
        bad = [(iteration, name, value) for name, by_iteration in values.items()
               for iteration, value in by_iteration.items() if not math.isfinite(value)]
        if bad:
            iteration, name, value = min(bad)
            raise UserError(f"{name} is {value} at {label} iteration {iteration}; stopped, {self._points.standing}; "
                            "start anew with another --seed or other settings, as a smaller weight of a term")


def log_event(run: Run, print_means: Callable[[int, dict], None]) -> Event:
    """Log points as the originals flush them: every one of a phase's first ten iterations, then every hundredth.

    Args:
      print_means: (the log's step, {quantity: mean since the last log point}) -> None.
    """
    total, first_step = run.lengths[run.phase], run.first_step

    def flush(iteration: int) -> None:
        print_means(first_step + iteration, run.log_point(iteration))

    return Event(lambda i: i < 10 or i % 100 == 0 or i == total - 1, flush)
