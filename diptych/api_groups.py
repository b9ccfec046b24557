"""The groups of the API's operations: what a person wants to do with them.

They are the tags of the OpenAPI document, and the order of the page `/api/`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """A group with its name, a sentence about it, and the apps, modules or views whose operations belong to it.

    An app stands for all of its modules that no other group names, and a module for all of its views.
    """

    name: str
    about: str
    parts: tuple[str, ...]


GROUPS = (
    Group(
        "Set up studies",
        "Make studies, change their settings, pause, close, archive and delete them.",
        ("studies", "answers.api_study", "removal"),
    ),
    Group(
        "Import material",
        "Import prompts, videos and pairs, upload their files, undo an import.",
        ("importing", "removal.api.UndoView"),
    ),
    Group("Pairs and batches", "Change overlap, priority and batches of pairs, and hold pairs.", ("catalog",)),
    Group(
        "People",
        "Add people, give roles, see who did how much, suspend people.",
        ("studies.api_people", "answers", "suspensions"),
    ),
    Group("Agree to the terms", "Read the terms of a study, agree to them, withdraw the consent.", ("consent",)),
    Group("Qualify", "Prepare trainings and tests, and go through them.", ("qualification",)),
    Group("Answer pairs", "Lease pairs, read the guideline, submit and change answers.", ("annotation",)),
    Group("Try the workspace", "The same as answering pairs, but nothing is saved.", ("trial",)),
    Group("Review answers", "Lease answers, judge them, submit verdicts.", ("qc",)),
    Group("Lots", "Put batches into lots, start their review, accept or return them.", ("qc.api_lots",)),
    Group("Calibrate", "Judge the same pairs as all other reviewers, and compare.", ("calibration",)),
    Group("Controls and findings", "Check annotators by controls, and answers by rules.", ("controls", "findings")),
    Group("Figures", "Read figures of quality, agreement and annotators.", ("figures",)),
    Group(
        "Answers and releases",
        "Download answers, make releases, withdraw from them.",
        ("exports", "releases", "release_records"),
    ),
    Group("Train models", "Queue training runs, read their figures, download models.", ("training",)),
    Group("Training workers", "Claim training runs, report on them, upload models.", ("training.api_worker",)),
    Group("Webhooks", "Let other programs know what happens in a study.", ("webhooks",)),
)
_BY_PART = {part: group for group in GROUPS for part in group.parts}


def group_of(view: type) -> Group:
    """Return the group of a view. Raise KeyError if no group names it, its module or its app."""
    module = view.__module__
    names = (f"{module}.{view.__name__}", module, module.partition(".")[0])
    return next(_BY_PART[name] for name in names if name in _BY_PART or name == names[-1])
