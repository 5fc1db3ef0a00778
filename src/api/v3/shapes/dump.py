"""Writes table.json: the shapes of what the real server takes, operation by operation.

Run with the Python of an environment that has prefect 3.9.1:  python dump.py > table.json

A shape is a word, or a list of a word and what belongs to it:

    any text whole number truth id span bytes         a value of that kind
    time moment                                       by their own reader, or by pydantic's
    Name                                              an object of that model
    shape?  [shape]                                   or null; a list of them
    ["text", {"least", "most", "pattern"}]  ["whole" | "number" | "span", {"ge", "gt", "le", "strict"}]
    ["one", values, is_literal, prefix when told]  ["null", shape]  ["list", shape, {"least", "most"}]  ["set", shape]
    ["sequence", shape]  ["map", keys, values]  ["tuple", shapes]  ["union", [[name, shape]]]
    ["before" | "after", "function", shape]           what a function of theirs looks at as well

A parameter is its place, its name (with a ! where it has to be there) and its shape; parameters come
in groups that are looked at one after the other, under the name of what asks for them. A model is
what becomes of unknown fields, the functions that look at all of it before, and its fields.
"""
import enum
import functools
import json

from pydantic_core import SchemaValidator, core_schema
from prefect.server.api.server import create_app

models = {}


def function(schema):
    called = schema["function"]["function"]
    if isinstance(called, functools.partial):
        words = [called.func.__name__, *map(str, called.keywords.values())]
        return ":".join(words)
    return getattr(called, "__name__", str(called))


def bounds(schema, names):
    found = {}
    for ours, theirs in names.items():
        if schema.get(theirs) is not None:
            value = schema[theirs]
            if hasattr(value, "total_seconds"):
                value = value.total_seconds()
            if schema["type"] == "float" and not isinstance(value, bool):
                value = float(value)
            found[ours] = value if isinstance(value, (int, float, bool)) else getattr(value, "pattern", value)
    return found


ONCE = "function-after[validate_require(), CompoundTrigger]"
TWICE = f"function-after[validate_require(), {ONCE}]"
NUMBERS = {"ge": "ge", "gt": "gt", "le": "le", "strict": "strict"}


def name_in_union(schema, definitions):
    whole = core_schema.definitions_schema(schema, list(definitions.values())) if definitions else schema
    return SchemaValidator(whole).title


def with_bounds(word, found):
    return [word, found] if found else word


def model(schema, definitions):
    name = schema["cls"].__name__
    fields = schema["schema"]
    before = []
    while fields["type"].startswith("function"):
        before.append(function(fields))
        fields = fields["schema"]
    if fields["type"] != "model-fields":
        # A root model.
        return shape(fields, definitions)
    extra = schema.get("config", {}).get("extra_fields_behavior") or "ignore"
    if fields.get("extra_behavior"):
        extra = fields["extra_behavior"]
    if name in models and models[name]["cls"] is not schema["cls"]:
        name = schema["cls"].__module__.split(".")[-1] + "." + name
    if name not in models:
        entry = models[name] = {"cls": schema["cls"], "extra": extra, "before": before, "fields": []}
        for key, field in fields["fields"].items():
            inner = field["schema"]
            is_required = inner["type"] != "default"
            alias = field.get("validation_alias")
            known = alias if isinstance(alias, str) else key
            entry["fields"].append([known + "!" * is_required, shape(inner, definitions)])
    return name


def shape(schema, definitions):
    kind = schema["type"]
    inner = lambda key="schema": shape(schema[key], definitions)
    match kind:
        case "definitions":
            more = {it["ref"]: it for it in schema["definitions"]}
            return shape(schema["schema"], {**definitions, **more})
        case "definition-ref":
            return shape(definitions[schema["schema_ref"]], definitions)
        case "default":
            return inner()
        case "any" | "bytes":
            return kind
        case "str":
            names = {"least": "min_length", "most": "max_length", "pattern": "pattern"}
            found = bounds(schema, names)
            if len(found.get("pattern", "")) > 100:
                # The names of all zones.
                del found["pattern"]
            return with_bounds("text", found)
        case "int":
            return with_bounds("whole", bounds(schema, NUMBERS))
        case "float":
            return with_bounds("number", bounds(schema, NUMBERS))
        case "bool":
            return with_bounds("truth", bounds(schema, {"strict": "strict"}))
        case "uuid":
            return "id"
        case "datetime":
            return "moment"
        case "timedelta":
            return with_bounds("span", bounds(schema, NUMBERS))
        case "enum":
            return ["one", [it.value for it in schema["members"]], False]
        case "literal":
            members = schema["expected"]
            found = ["one", members, True]
            if isinstance(members[0], enum.Enum):
                found.append(type(members[0]).__name__ + ".")
            return found
        case "nullable":
            of = inner()
            return of + "?" if isinstance(of, str) else ["null", of]
        case "list":
            names = {"least": "min_length", "most": "max_length"}
            of = shape(schema.get("items_schema", {"type": "any"}), definitions)
            found = bounds(schema, names)
            return f"[{of}]" if isinstance(of, str) and not found else ["list", of, found]
        case "set":
            return ["set", inner("items_schema")]
        case "tuple":
            return ["tuple", [shape(it, definitions) for it in schema["items_schema"]]]
        case "dict":
            keys = shape(schema.get("keys_schema", {"type": "any"}), definitions)
            return ["map", keys, shape(schema.get("values_schema", {"type": "any"}), definitions)]
        case "json-or-python":
            return ["sequence", shape(schema["json_schema"], definitions)]
        case "union":
            choices = []
            for it in schema["choices"]:
                it = it[0] if isinstance(it, tuple) else it
                choices.append([name_in_union(it, definitions), shape(it, definitions)])
            return ["union", choices]
        case "function-before" | "function-after":
            return [kind.removeprefix("function-"), function(schema), inner()]
        case "function-wrap":
            return "time" if inner() == "moment" else inner()
        case "model":
            return model(schema, definitions)
    raise ValueError(kind)


def parts(dependant, is_top):
    """What is asked, in the order in which it is looked at."""
    found = []
    for it in dependant.dependencies:
        found.extend(parts(it, False))
    asked = []
    for place in ("path", "query", "body"):
        for param in getattr(dependant, f"{place}_params"):
            schema = param._type_adapter.core_schema
            required = "!" * param.field_info.is_required()
            asked.append([place, param.alias + required, shape(schema, {})])
    if asked:
        call = "" if is_top else getattr(dependant.call, "__name__", "")
        found.append([call, asked])
    return found


def routes(app):
    for included in app.routes:
        if type(included).__name__ == "_IncludedRouter":
            prefix = included.include_context.prefix
            for route in included.original_router.routes:
                yield prefix + route.path, route
        else:
            yield included.path, included


def main():
    app = create_app()
    api = next(it.app for it in app.routes if getattr(it, "path", "") == "/api")
    operations = []
    for path, route in routes(api):
        if not hasattr(route, "methods") or not hasattr(route, "dependant"):
            continue
        asked = parts(route.dependant, True)
        for method in sorted(route.methods):
            operations.append([method, path, bool(route._embed_body_fields), asked])
    out = ['{"operations": [']
    out.append(",\n".join(json.dumps(it, ensure_ascii=False) for it in operations))
    out.append('],\n"models": {')
    lines = []
    for name, entry in sorted(models.items()):
        entry = [entry["extra"], entry["before"], entry["fields"]]
        line = f"{json.dumps(name)}: {json.dumps(entry, ensure_ascii=False)}"
        # Within itself it is told with one function only.
        lines.append(line.replace(TWICE, ONCE) if name == "CompoundTrigger" else line)
    out.append(",\n".join(lines))
    out.append("}}")
    print("\n".join(out))


main()
