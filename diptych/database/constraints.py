"""Constraints that PostgreSQL has and that Django's models cannot express."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.backends.ddl_references import Statement, Table
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.constraints import BaseConstraint
from django.db.models.functions import Length
from django.db.models.lookups import Exact


def sixty_four_hex(field: str) -> Q:
    """Return the condition that a text is 64 hexadecimal digits. A regular expression would take three times longer."""
    rest = Func(F(field), Value("0123456789abcdef"), function="btrim", output_field=TextField())
    return Q(Exact(Length(field), 64)) & Q(Exact(rest, Value("")))


class CompositeForeignKey(BaseConstraint):
    """A foreign key over several columns. With it the database can ensure that two rows belong to the same study.

    `fields` and `to_fields` are field names, in the same order. `to` is `app_label.Model`, and its `to_fields` must be
    unique together. A row with a null in any of `fields` is not checked (MATCH SIMPLE).

    As with Django's own foreign keys, the constraint is made at the end of its migration. Only then do the other table
    and its unique constraint exist for sure.
    """

    def __init__(self, *, name: str, fields: Sequence[str], to: str, to_fields: Sequence[str]) -> None:
        super().__init__(name=name)
        self.fields = tuple(fields)
        self.to = to
        self.to_fields = tuple(to_fields)

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return no statement: the constraint is not part of creating the table."""
        return self.create_sql(model, schema_editor)

    def _target(self, model: Any) -> Any:
        """Return the model that the key points at: that of the migration, or today's where the migration makes it
        later.
        """
        try:
            then: Any = model._meta.apps.get_model(self.to)
            for field in self.to_fields:
                then._meta.get_field(field)
        except (LookupError, FieldDoesNotExist):
            return apps.get_model(self.to)
        return then

    def _definition(self, model: Any, schema_editor: Any) -> str:
        target = self._target(model)
        quote = schema_editor.quote_name
        return "CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {table} ({targets})".format(
            name=quote(str(self.name)),
            columns=", ".join(quote(model._meta.get_field(field).column) for field in self.fields),
            table=quote(target._meta.db_table),
            targets=", ".join(quote(target._meta.get_field(field).column) for field in self.to_fields),
        )

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        """Defer the statement to the end of the migration, and return an empty one.

        Django defers what is returned here if the table has defaults, and would then execute None.
        """
        statement = Statement(
            "ALTER TABLE %(table)s ADD %(constraint)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            constraint=self._definition(model, schema_editor),
        )
        schema_editor.deferred_sql.append(statement)
        return ""

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        return Statement(
            "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            name=schema_editor.quote_name(self.name),
        )

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: only the database can check this while several people write."""

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, _, kwargs = super().deconstruct()
        return path, (), kwargs | {"fields": self.fields, "to": self.to, "to_fields": self.to_fields}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CompositeForeignKey) and self.deconstruct() == other.deconstruct()

    __hash__ = BaseConstraint.__hash__
