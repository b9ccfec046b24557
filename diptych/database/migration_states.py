"""Make a new database from migrations in seconds.

While Django migrates, it keeps model classes for the state that each operation leads to. After an operation it makes
the class of the changed model anew, and those of all related models. Here nearly all models are related, by the person
who made a row, so a new database took a minute of processor time to make.

Two kinds of operation need none of that. Nothing refers to a model that was just created, and a constraint, an index or
a trigger changes no field. All other operations go Django's way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.migrations.state import ModelState, ProjectState
from pgtrigger.migrations import AddTrigger


def add_model(state: ProjectState, model: ModelState) -> None:
    """Add a model, and make no class but its own."""
    state.models[model.app_label, model.name_lower] = model
    if vars(state)["_relations"] is not None:
        state.resolve_model_relations((model.app_label, model.name_lower))
    if "apps" in vars(state):  # to ask for the attribute would make all classes
        state.apps.render_multiple([model])


def append_option(state: ProjectState, app_label: str, model_name: str, option: str, added: Any) -> None:
    """Add to a list in a model's `Meta`, such as its constraints, and make no class anew."""
    model = state.models[app_label, model_name]
    model.options[option] = [*model.options.get(option, []), added]
    if "apps" in vars(state):
        setattr(state.apps.get_model(app_label, model_name)._meta, option, model.options[option])


def add_trigger(operation: AddTrigger, app_label: str, state: ProjectState) -> None:
    append_option(state, app_label, operation.model_name.lower(), AddTrigger.option_name, operation.trigger)


INSTEAD = (
    (ProjectState, "add_model", add_model),
    (ProjectState, "_append_option", append_option),  # add_constraint and add_index call it
    (AddTrigger, "state_forwards", add_trigger),
)


@contextmanager
def few_classes_are_made() -> Iterator[None]:
    """Let migrations make few model classes inside the block. The database that they make is the same."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in INSTEAD]
    try:
        for owner, name, function in INSTEAD:
            setattr(owner, name, function)
        yield
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)
