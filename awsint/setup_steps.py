"""A step of the set-up of AWS Health: looked at first, and done only where it is missing.

What AWS refuses is kept with its own words, and with a word of ours for how it is mended (setup_words.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from awsint import setup_words, testing
from awsint.shapes import AwsError, Denied

# Why a step is not done here, beside the kinds of AWS's errors (shapes.py).
BY_HUB, BY_FEATURES, BY_IDENTITY, NOT_ALLOWED, AGAIN = "hub", "features", "identity", "not_allowed", "again"
# What writes, and how AWS says that it has not caught up yet with what was made or deleted a moment ago.
WRITING = ("Create", "Put", "Set")
UNSETTLED = (
    "ConcurrentModificationException",
    "ResourceNotFoundException",
    "QueueDeletedRecently",
    "AWS.SimpleQueueService.QueueDeletedRecently",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
)


@dataclass(frozen=True)
class Done:
    """A step: "ok" (as it should be), "missing", "done", "failed", "not_offered" or "skipped".

    `why` is what has to be mended elsewhere; `code` and `text` are AWS's own words. `about` is its name at AWS.
    """

    step: str
    state: str
    code: str = ""
    text: str = ""
    why: str = ""
    about: str = ""

    @property
    def good(self) -> bool:
        return self.state in ("ok", "done", "not_offered")

    @property
    def to_do(self) -> bool:
        """Missing, and the desk can do it."""
        return self.state == "missing" and not self.why

    @property
    def name(self) -> str:
        return setup_words.step_name(self.step)

    @property
    def word(self) -> str:
        return setup_words.state_name(self.state)

    @property
    def mend(self) -> str:
        return setup_words.mended(self.step, self.why)


@dataclass(frozen=True)
class Step:
    """`stands` says whether it is as it should be; `do` makes it so, where the desk can; `why` says who else has to.

    One without `stands` is not offered in the partition.
    """

    name: str
    stands: Callable[[], bool] | None = None
    do: Callable[[], None] | None = None
    why: str = ""
    needs: tuple[str, ...] = ()
    about: str = ""


def take(step: Step, before: Mapping[str, Done], *, dry: bool) -> Done:
    """Looks at a step and does it where it is missing, unless what it needs of those before is not there."""
    needed = [before[name] for name in step.needs]
    if not all(one.good or (dry and one.to_do) for one in needed):
        return Done(step.name, "skipped", about=step.about)
    return replace(_taken(step, dry), about=step.about)


def _taken(step: Step, dry: bool) -> Done:
    if step.stands is None:
        return Done(step.name, "not_offered")
    try:
        if step.stands():
            return Done(step.name, "ok")
        if dry or step.do is None:
            return Done(step.name, "missing", why="" if step.do else step.why)
        step.do()
        return Done(step.name, "done")
    except AwsError as error:
        return Done(step.name, "failed", error.code, error.text[:400], why_of(error))


def why_of(error: AwsError) -> str:
    """The word under which `mended` knows how an error of a step is mended."""
    if isinstance(error, Denied) and error.operation != "AssumeRole":
        return NOT_ALLOWED
    return AGAIN if _unsettled(error) else testing.kind_of(error)


def _unsettled(error: AwsError) -> bool:
    gone = "does not exist" in error.text and error.code.startswith("Invalid")
    return error.operation.startswith(WRITING) and (error.code in UNSETTLED or gone)
