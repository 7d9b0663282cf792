"""Make a new version of a live one, with new lines and lessons, and put it in its place only if it is no worse.

Heavy libraries are imported where they are used, so that --help is instant.
"""

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.errors import ModelError
from model.store import DEFAULT_STORE, Store, Version
from model.training_settings import TrainingSettings, add_setting_options, given_settings

if TYPE_CHECKING:
    from model.retraining.events import Announcer
    from model.retraining.origin import Script
    from model.retraining.verdict import Verdict
    from model.retraining.workplace import Workplace
    from model.training_run import TrainingRun

INTERRUPTED = 130
LOWEST_PRIORITY = 19
MOST_ITEMS = 200  # more choices and answers than that the measures do not take
NOT_TO_CHOOSE = ("persona", "base", "card")  # another one would be another character, not a new version of this one
PREPARATIONS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `retrain`: what to learn, how to judge it, and all settings of a training but base and card."""
    parser.add_argument("--persona", required=True, metavar="NAME", help="id of the persona, such as lisa")
    parser.add_argument(
        "--script", type=Path, metavar="FILE", help="script to learn (default: what the live version learned)"
    )
    parser.add_argument("--character", metavar="NAME", help="who it is in the script (default: the persona's name)")
    parser.add_argument("--columns", metavar="speaker=A,text=B", help="another show's columns, as data_prep takes them")
    parser.add_argument(
        "--lessons", type=Path, metavar="FILE", help="liked and corrected answers, as `python -m bot feedback` writes"
    )
    parser.add_argument(
        "--items", type=int, default=100, metavar="N", help="compare on so many held-out lines (default: %(default)s)"
    )
    parser.add_argument(
        "--keep", type=int, default=3, metavar="N", help="versions to keep that were live before (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print an event a line, as JSON")
    parser.add_argument("--resume", action="store_true", help="go on with the persona's last unfinished retraining")
    parser.add_argument(
        "--store", type=Path, default=DEFAULT_STORE, metavar="DIR", help="model store (default: %(default)s)"
    )
    add_setting_options(parser, NOT_TO_CHOOSE, default="as the live version was made")


def main(args: argparse.Namespace) -> int:
    """Retrain and judge. 0 after a verdict, whichever it is; 130 when stopped; ModelError for a user's mistake."""
    from model.retraining.events import Bars, JsonLines
    from model.retraining.workplace import Workplace, one_at_a_time

    _check(args)
    Store(args.store).card(args.persona)  # nobody to retrain: then there is nothing to be made, not even a store
    _step_back()
    place = Workplace(args.store, args.persona)
    with _stopped_by_signals(), one_at_a_time(args.store):
        try:
            Retraining(args, place, JsonLines() if args.json else Bars()).run()
        except KeyboardInterrupt:
            print(f"stopped; {_how_to_go_on(args, place)}", file=sys.stderr)
            return INTERRUPTED
        except OSError as error:
            where = error.filename or args.store
            raise ModelError(f"{where}: {error.strerror or error}; {_how_to_go_on(args, place)}") from error
    return 0


class Retraining:
    """The steps from what is asked for to the verdict; each one that a killed process has done is not done again."""

    def __init__(self, args: argparse.Namespace, place: "Workplace", announcer: "Announcer") -> None:
        self._args = args
        self._given = given_settings(args)
        self._place = place
        self._announcer = announcer
        self._store = Store(args.store)
        self._persona: str = args.persona

    def run(self) -> None:
        """Do them all."""
        from model.training_run import new_name

        live = self._store.live(self._persona)
        run = self._unfinished() if self._args.resume else None
        name = run.folder.name if run else new_name()
        self._announcer.started(name, self._persona, live.name)
        run = run or self._begin(name, live)
        self._place.clean(run)
        version = self._place.version_of(run) or self._train(run)
        self._close(run, version, self._judge(run, version))

    def _unfinished(self) -> "TrainingRun":
        from model.train import refuse_changes
        from model.training_run import TrainingRun

        folder = self._place.unfinished()
        if folder is None:
            raise ModelError(f"--resume: {self._args.store} holds no unfinished retraining of {self._persona!r}")
        run = TrainingRun.read(folder)
        refuse_changes(run, self._given)
        return run

    def _begin(self, name: str, live: Version) -> "TrainingRun":
        """Prepare everything that could turn out to be missing after hours, and leave nothing if it is."""
        try:
            return self._prepare(name, live)
        except BaseException:
            self._place.discard(name)
            raise

    def _prepare(self, name: str, live: Version) -> "TrainingRun":
        from model.retraining.lessons import read_lessons, without_held_out, write_lessons
        from model.retraining.measures import Bench
        from model.retraining.workplace import LESSONS, check_space, space_needed
        from model.training_run import TrainingRun
        from model.zoo import base_folder

        self._announcer.progress("prepare", 0, PREPARATIONS)
        lessons = read_lessons(self._args.lessons) if self._args.lessons else []
        recipe = _recipe(live, self._given, self._place.examples_folder(name))
        check_space(self._args.store, space_needed(live, base_folder(live.base), recipe))
        examples = self._examples(name, live)
        self._announcer.progress("prepare", 1, PREPARATIONS)
        Bench(examples, live, self._args.items)
        self._announcer.progress("prepare", 2, PREPARATIONS)
        folder = self._place.run_folder(name)
        folder.mkdir(parents=True)
        write_lessons(without_held_out(lessons, examples), folder / LESSONS)
        card = replace(live.persona, base=live.base)
        return TrainingRun.begin_in(folder, replace(recipe, examples=examples), card)

    def _examples(self, name: str, live: Version) -> Path:
        from model.retraining.origin import demo_script, learned_from

        if "examples" in self._given:
            return Path(self._given["examples"]).resolve()
        character = self._args.character or live.persona.name
        script = self._script(character)
        if script is None and (known := learned_from(live)):
            return known
        script = script or demo_script(live, character)
        if script is None:
            raise ModelError(f"what {live.name} was trained on is not there any more: name the script with --script")
        folder = self._place.examples_folder(name)
        script.prepare(folder)
        return folder

    def _script(self, character: str) -> "Script | None":
        from model.retraining.origin import Script

        return Script(self._args.script, character, self._args.columns) if self._args.script else None

    def _train(self, run: "TrainingRun") -> Version:
        from model.retraining.lessons import read_lessons
        from model.retraining.watching import TrainingWatch
        from model.retraining.workplace import LESSONS
        from model.train import fine_tune, load_material

        if not run.is_trained:
            lessons = read_lessons(run.folder / LESSONS)
            material = load_material(run.settings, run.persona, lessons, progress=False)
            self._announcer.progress("prepare", PREPARATIONS, PREPARATIONS)
            if not fine_tune(run, material, TrainingWatch(self._announcer)):
                raise KeyboardInterrupt
        return self._store.add(self._persona, run.version_folder, promote=False)

    def _judge(self, run: "TrainingRun", version: Version) -> "Verdict":
        """The verdict on a version, which is kept with it before anything comes of it."""
        from model.retraining.events import Counter
        from model.retraining.gate import judge
        from model.retraining.measures import Bench
        from model.retraining.verdict import Verdict, read_verdict, write_verdict

        if known := read_verdict(version.folder):
            return known
        live = self._store.live(self._persona)
        bench = Bench(run.settings.examples, live, self._args.items)
        counted = Counter(self._announcer, "evaluate", 2 * bench.steps)
        old, new = (bench.measure(one, run.persona, counted) for one in (live, version))
        measures = judge(old, new, bench.true_answers())
        verdict = Verdict(self._persona, version.name, live.name, measures, bench.lines)
        write_verdict(verdict, version.folder)
        return verdict

    def _close(self, run: "TrainingRun", version: Version, verdict: "Verdict") -> None:
        """Let the verdict take effect, and leave nothing that is not needed any more."""
        from model.metrics import METRICS_FILE, read_metrics
        from model.retraining.picture import draw_verdict
        from model.retraining.verdict import PICTURE_FILE

        picture = version.folder.resolve() / PICTURE_FILE
        draw_verdict(verdict, read_metrics(version.folder / METRICS_FILE), picture)
        if verdict.live and self._store.live_name(self._persona) != version.name:
            self._store.promote(self._persona, version.name)
        self._store.prune(self._persona, self._args.keep)
        run.remove()
        self._place.clean()
        self._announcer.decided(verdict, picture)


def _check(args: argparse.Namespace) -> None:
    """ModelError names an option that will not do."""
    if not 2 <= args.items <= MOST_ITEMS:
        raise ModelError(f"--items is {args.items}, but must be 2 to {MOST_ITEMS}")
    if args.keep < 0:
        raise ModelError(f"--keep is {args.keep}, but must be 0 or more")
    if args.script and "examples" in args:
        raise ModelError("--script and --examples are two ways to say what to learn; give one of them")
    if args.store.exists() and not args.store.is_dir():
        raise ModelError(f"--store: {args.store} is no folder")


def _recipe(live: Version, given: Mapping[str, Any], examples: Path) -> TrainingSettings:
    """The live version's settings but for those given; the defaults where it does not tell."""
    known = {setting.name for setting in fields(TrainingSettings)}
    recorded = {name: value for name, value in live.manifest.get("settings", {}).items() if name in known}
    own = {"persona": live.persona.id, "base": live.base, "card": None, "examples": examples}
    return TrainingSettings(**{**recorded, **given, **own})


def _step_back() -> None:
    """Let everything else on this machine go first.

    Niceness decides who gets the processor when several want it; alone, this process is as fast as ever. It does not
    lessen the memory that training takes, nor what it reads and writes, and where the system weighs whole sessions
    against each other (Linux's autogroup), it counts only among the processes of one session. It cannot be taken back,
    so it belongs into a process of its own. Windows has none.
    """
    if hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM does what Ctrl-C does, and both do so where a shell has switched Ctrl-C off for its background jobs."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT)),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _how_to_go_on(args: argparse.Namespace, place: "Workplace") -> str:
    if place.unfinished() is None:
        return "there is nothing to go on with"
    command = f"python -m model retrain --persona {args.persona} --resume"
    if args.store != DEFAULT_STORE:
        command += f" --store {shlex.quote(str(args.store))}"
    return f"go on with: {command}"
