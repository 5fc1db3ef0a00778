"""Reads which parameters a flow takes out of its script, without running it.

Arguments: the flow's name. The script comes on standard input. Prints a JSON list of names, or
null where the script does not tell.
"""

import ast
import json
import sys


def decorator(function):
    for it in function.decorator_list:
        call = it if isinstance(it, ast.Call) else None
        named = call.func if call else it
        if getattr(named, "id", getattr(named, "attr", None)) == "flow":
            return it
    return None


def name(function):
    it = decorator(function)
    for keyword in getattr(it, "keywords", []):
        if keyword.arg == "name":
            return getattr(keyword.value, "value", None)
        if keyword.arg is None:
            return None
    return function.name.replace("_", "-")


def parameters(function):
    taken = function.args
    if taken.kwarg or taken.vararg:
        return None
    return [it.arg for it in [*taken.posonlyargs, *taken.args, *taken.kwonlyargs]]


kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
functions = [it for it in ast.parse(sys.stdin.buffer.read()).body if isinstance(it, kinds)]
flows = [it for it in functions if decorator(it) is not None and name(it) == sys.argv[1]]
print(json.dumps(parameters(flows[0]) if len(flows) == 1 else None))
