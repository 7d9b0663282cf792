"""What admins read about trainings: the question, how far it is, and how it ended."""

from collections.abc import Iterator
from math import ceil, isfinite

from bot.locales import Translate
from bot.training.events import Measure, Progress, Verdict
from bot.training.records import Offer, Phase, Training

BAR = 12  # Signs of the bar of text: as many as fit on a phone.


def offer_text(_: Translate, name: str, offer: Offer) -> str:
    """What would be done, and the question whether it shall."""
    script = offer.script.name if offer.script else _("the one that {name} knows already").format(name=name)
    facts = [
        _("Script: {script}").format(script=script),
        _("Accepted with /review: {count}").format(count=offer.lessons),
        _usual_time(_, offer.usual_seconds),
    ]
    promise = _("I go on answering meanwhile, and change only if the new version is no worse than this one.")
    return "\n\n".join((_("Shall {name} learn anew?").format(name=name), "\n".join(facts), promise))


def busy_text(_: Translate, name: str, progress: Progress | None) -> str:
    """That one training is under way already, and how far it is."""
    patience = _("One thing at a time, please: I am still learning.")
    return f"{patience}\n\n{progress_text(_, name, progress)}"


def progress_text(_: Translate, name: str, progress: Progress | None) -> str:
    """How far a training is; before anything is known of it, that it begins."""
    title = _("{name} is learning.").format(name=name)
    if progress is None:
        return f"{title}\n\n" + _("I am getting everything ready…")
    return f"{title}\n\n" + "\n".join(_figures(_, progress))


def ending_text(_: Translate, name: str, training: Training) -> str:
    """How a training ended, where its progress was shown."""
    if training.phase is Phase.DONE:
        return _("{name} has finished learning.").format(name=name)
    if training.phase is Phase.FAILED:
        return _("{name} could not learn: {reason}").format(name=name, reason=training.note)
    if training.phase is Phase.CANCELLED:
        return _("Cancelled. I keep what {name} has learned so far, and can go on from there.").format(name=name)
    return _(
        "The training of {name} has broken off; perhaps the computer ran out of memory. I can go on where it was."
    ).format(name=name)


def paused_text(_: Translate, name: str) -> str:
    """That the bot is being stopped, and the training with it."""
    return _("I am being switched off. {name} goes on learning when I am back.").format(name=name)


def verdict_text(_: Translate, name: str, verdict: Verdict, note: str) -> str:
    """Whether the new version is live, why, and all figures; `note` says why it does not play although it is good."""
    parts = [_decision(_, name, verdict, bool(note)), "\n".join(filter(None, (note, *verdict.reasons)))]
    table = "\n".join(
        (f"{verdict.compared_with} → {verdict.version}", *(_row(_, measure) for measure in verdict.measures))
    )
    return "\n\n".join(filter(None, (*parts, table if verdict.measures else "")))


def minutes_of(seconds: float) -> int:
    """Whole minutes, at least one."""
    return max(1, ceil(seconds / 60))


def _usual_time(_: Translate, seconds: float | None) -> str:
    if seconds is None:
        return _("How long it takes I shall know when it has begun.")
    return _("The last time took about {minutes} min.").format(minutes=minutes_of(seconds))


def _figures(_: Translate, progress: Progress) -> Iterator[str]:
    stages = {
        "prepare": _("1 of 3: reading the script"),
        "train": _("2 of 3: learning"),
        "evaluate": _("3 of 3: comparing old and new"),
    }
    yield stages[progress.stage]
    share = min(1.0, max(0.0, progress.done / progress.total)) if progress.total > 0 else 0.0
    full = int(share * BAR)
    yield f"{'▓' * full}{'░' * (BAR - full)} {int(share * 100)} %"
    if progress.seconds_left is not None and isfinite(progress.seconds_left):
        yield _("About {minutes} min left").format(minutes=minutes_of(progress.seconds_left))
    if progress.loss is not None and isfinite(progress.loss):
        yield _("Loss: {loss}").format(loss=f"{progress.loss:.3f}")


def _decision(_: Translate, name: str, verdict: Verdict, does_not_play: bool) -> str:
    if does_not_play:
        text = _("⚠️ The new version of {name} is good, but it cannot be loaded. So the old one stays.")
    elif verdict.live:
        text = _("🎉 The new version of {name} is live and answers from now on.")
    else:
        text = _("The new version of {name} is not good enough, so the old one stays.")
    return text.format(name=name)


def _row(_: Translate, measure: Measure) -> str:
    sign = "✅" if measure.ok else "❌"
    better = _("less is better") if measure.better == "lower" else _("more is better")
    names = {
        "perplexity": _("perplexity"),
        "true answer found": _("true answer found"),
        "repetition in an answer": _("repetition in an answer"),
        "same answer again": _("same answer again"),
        "copied from the script": _("copied from the script"),
    }
    return f"{sign} {names.get(measure.name, measure.name)}: {_figure(measure.old)} → {_figure(measure.new)} ({better})"


def _figure(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
