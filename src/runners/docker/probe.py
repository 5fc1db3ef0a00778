# Runs in a container: which Python and which prefect are here, and is the API reached?
import json, sys, urllib.error, urllib.request

found = {"python": sys.version.split()[0], "prefect": None, "reached": None, "trouble": None}
try:
    import prefect

    found["prefect"] = prefect.__version__
except Exception:
    pass
url = sys.argv[1] if len(sys.argv) > 1 else ""
if url:
    try:
        # Whatever the answer is, it came from there.
        no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        found["reached"] = str(no_proxy.open(url, timeout=10).status)
    except urllib.error.HTTPError as answer:
        found["reached"] = str(answer.code)
    except Exception as error:
        found["trouble"] = str(error)
print(json.dumps(found))
