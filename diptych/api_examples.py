"""Examples of calls with curl, made from the OpenAPI document."""

import json
from typing import Any

Node = dict[str, Any]

#: Examples of what one cannot guess from a type.
STRINGS = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "uuid": "7d0f3c52-3f0f-4e6b-9a55-7a6f5f0b6d1e",
    "uri": "https://example.org/",
}
#: Shapes within shapes below this depth are left out.
DEEPEST = 4


def curl(path: str, method: str, node: Node, shapes: Node) -> tuple[str, str]:
    """Return what comes before and after the address of the server in a call of the operation with curl."""
    options = [] if method == "get" else ["--head"] if method == "head" else ["-X", method.upper()]
    before = " ".join(["curl", *options, '-H "Authorization: Token $TOKEN"', '"'])
    for parameter in node.get("parameters", []):
        if parameter["in"] == "path":
            name = parameter["name"]
            value = "1" if parameter["schema"].get("type") == "integer" else name.upper()
            path = path.replace(f"{{{name}}}", "my-study" if name == "slug" else value)
    required = [
        f"{one['name']}={_example(one['schema'], shapes, 0)}"
        for one in node.get("parameters", [])
        if one["in"] == "query" and one.get("required")
    ]
    after = f'{path}{"?" + "&".join(required) if required else ""}"'
    return before, after + _body(node.get("requestBody", {}).get("content", {}), shapes)


def _body(content: Node, shapes: Node) -> str:
    """Return the options of curl that send a body of the first media type, or nothing if there is none."""
    for kind, carrier in content.items():
        if kind != "application/json":
            return f' \\\n  -H "Content-Type: {kind}" --data-binary @FILE'
        text = json.dumps(_example(carrier.get("schema", {}), shapes, 0), ensure_ascii=False).replace("'", "’")
        return f" \\\n  -H \"Content-Type: {kind}\" -d '{text}'"
    return ""


def _example(schema: Node, shapes: Node, depth: int) -> Any:
    """Return an example of a value: the required fields of an object, the first choice, the least number."""
    for part in (schema, *schema.get("allOf", ()), *schema.get("oneOf", ())[:1]):
        if "$ref" in part:
            return _example(shapes[part["$ref"].rpartition("/")[2]], shapes, depth)
    if "enum" in schema:
        return schema["enum"][0]
    if "default" in schema:
        return schema["default"]
    kind = schema.get("type")
    if kind == "object":
        wanted = schema.get("required") or list(schema.get("properties", {}))[:1]
        fields = {name: schema["properties"][name] for name in wanted if name in schema.get("properties", {})}
        if depth == DEEPEST:
            return {}
        return {name: _example(field, shapes, depth + 1) for name, field in fields.items() if not field.get("readOnly")}
    if kind == "array":
        return [_example(schema.get("items", {}), shapes, depth + 1)]
    if kind == "integer":
        return int(schema.get("minimum", 1))
    if kind == "number":
        return schema.get("minimum", 1.0)
    if kind == "boolean":
        return True
    return STRINGS.get(schema.get("format", ""), "…")
