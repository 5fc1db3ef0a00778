"""Sends the requests that come in by standard input, and prints the status and the body of each
answer."""

import json
import sys
import urllib.error
import urllib.request

answers = []
for method, url, body in json.load(sys.stdin):
    data = None if body is None else body.encode()
    request = urllib.request.Request(url, data=data, method=method)
    request.add_header("Content-Type", "application/json")
    try:
        answer = urllib.request.urlopen(request, timeout=120)
    except urllib.error.HTTPError as error:
        answer = error
    answers.append([answer.status, answer.read().decode("utf-8", "replace")])
print(json.dumps(answers))
