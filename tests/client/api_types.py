"""`python -m tests.client.api_types`: write the types and operations of the client from the OpenAPI document.

Only operations that `diptych_client.client` uses, and the bodies that they have.
"""

import keyword
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import django

from tests.production import BIN, ROOT

FILE = ROOT / "client/diptych_client/api_types.py"
CLIENT = ROOT / "client/diptych_client/client.py"
REFERENCE = "#/components/schemas/"
SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
METHODS = ("get", "post", "put", "patch", "delete")
API = "/api/v1/"
HEAD = '''"""Bodies and operations of the API, as its OpenAPI document describes them.

Written by `python -m tests.client.api_types`; a test compares it with the document. Do not change it by hand.
"""

from typing import Any, Literal, NotRequired, TypedDict

'''


def used() -> list[str]:
    """Return the ids of the operations that the client uses."""
    return sorted(set(re.findall(r'_call\(\s*"([\w.]+)"', CLIENT.read_text())))


def operations(document: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Return method, path below `/api/v1/` and description of each operation by its id."""
    return {
        operation["operationId"]: (method.upper(), path.removeprefix(API), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def references(node: Any) -> Iterator[str]:
    """Yield the name of each schema to which a part of the document refers."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].removeprefix(REFERENCE)
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def reached(schemas: dict[str, Any], found: set[str]) -> set[str]:
    """Return these schemas, and those to which they refer."""
    new = {name for one in found for name in references(schemas[one])} - found
    return reached(schemas, found | new) if new else found


def annotation(schema: dict[str, Any]) -> str:
    """Return the annotation of a value."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REFERENCE)
        return "None" if name == "NullEnum" else 'Literal[""]' if name == "BlankEnum" else name
    for several in ("oneOf", "anyOf", "allOf"):
        if several in schema:
            return _nullable(schema, " | ".join(dict.fromkeys(annotation(one) for one in schema[several])))
    if "enum" in schema:
        return _nullable(schema, f"Literal[{', '.join(map(repr, schema['enum']))}]")
    if schema.get("type") == "array":
        return _nullable(schema, f"list[{annotation(schema['items'])}]")
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return _nullable(schema, f"dict[str, {annotation(values) if isinstance(values, dict) and values else 'Any'}]")
    return _nullable(schema, SIMPLE.get(schema.get("type", ""), "Any"))


def _nullable(schema: dict[str, Any], text: str) -> str:
    return f"{text} | None" if schema.get("nullable") and text != "Any" and not text.endswith("| None") else text


def definition(name: str, schema: dict[str, Any]) -> str:
    """Return the definition of a schema: a TypedDict, or a Literal for a set of words."""
    if "properties" not in schema:
        return f"{name} = {annotation(schema)}\n"
    lines = [f"class {name}(TypedDict):"]
    if about := schema.get("description"):
        lines.append(f'    """{about.splitlines()[0].rstrip()}"""\n')
    for field, value in schema["properties"].items():
        if keyword.iskeyword(field):
            raise ValueError(f"{name}.{field} is a keyword of Python")
        written = annotation(value)
        lines.append(f"    {field}: {written if field in schema.get('required', ()) else f'NotRequired[{written}]'}")
    return "\n".join(lines) + "\n"


def expected(document: dict[str, Any]) -> str:
    """Return the text of the file."""
    schemas = document["components"]["schemas"]
    mine = {name: operations(document)[name] for name in used()}
    successful = [
        [operation.get("requestBody"), [body for status, body in operation["responses"].items() if status < "300"]]
        for _method, _path, operation in mine.values()
    ]
    names = reached(schemas, set(references(successful))) - {"NullEnum", "BlankEnum"}
    words = sorted(name for name in names if "properties" not in schemas[name])
    # Fields can name classes that come later, sets of words can not.
    text = HEAD + "".join(definition(name, schemas[name]) for name in words)
    text += "\n\n" + "\n\n".join(definition(name, schemas[name]) for name in _in_order(names - set(words), schemas))
    table = "".join(f"    {name!r}: ({method!r}, {path!r}),\n" for name, (method, path, _about) in mine.items())
    text += f"\n\n#: Method and path of each operation that the client uses.\nOPERATIONS = {{\n{table}}}\n"
    return _formatted(text)


def _in_order(names: set[str], schemas: dict[str, Any]) -> Iterator[str]:
    """Yield names so that each comes after those that it refers to."""
    left = dict.fromkeys(sorted(names))
    while left:
        name = next(one for one in left if not (set(references(schemas[one])) - {one}) & left.keys())
        del left[name]
        yield name


def _formatted(text: str) -> str:
    command = [BIN / "ruff", "format", "--quiet", "--stdin-filename", str(FILE), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def main() -> None:
    """Write the file."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")
    django.setup()
    from tests.documented import document

    FILE.write_text(expected(document()))
    sys.stdout.write(f"Written to {FILE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
