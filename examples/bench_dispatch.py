"""From a request for a run to its container's creation, in milliseconds; see bench-dispatch.

Every container is removed as soon as it is there: what a run does after that is another matter.
The engine itself says when it created a container.
"""

import argparse
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import docker
import httpx

LABEL = "io.prefect.flow-run-id"
PATIENCE = 60


class Engine:
    """The Docker engine, and what it says of containers that are created."""

    def __init__(self, image):
        self.client = docker.from_env()
        self.image = image
        # How long a container is left alone: the real agent does not survive its going.
        self.grace = 0

    def millis(self, begin):
        """From `begin` to the creation of the container that it leads to."""
        events = self.client.api.events(
            decode=True, filters={"type": "container", "event": "create", "label": LABEL}
        )
        begun = time.time()
        mine = begin()
        for event in events:
            if mine in (event["id"], event["Actor"]["Attributes"].get(LABEL)):
                break
        events.close()
        time.sleep(self.grace)
        self.remove(event["id"])
        return (event["timeNano"] / 1e9 - begun) * 1000

    def remove(self, container):
        # Whoever started it may be about to do the same.
        for _ in range(PATIENCE):
            try:
                return self.client.api.remove_container(container, force=True)
            except docker.errors.NotFound:
                return None
            except docker.errors.APIError:
                time.sleep(0.1)

    def create(self):
        """Creates a container as an agent would, and answers its id."""
        made = self.client.api.create_container(
            self.image,
            command=["python", "-m", "prefect.engine"],
            labels={LABEL: "none"},
            host_config=self.client.api.create_host_config(
                extra_hosts={"host.docker.internal": "host-gateway"}
            ),
        )
        return made["Id"]


class Api:
    """A server, with a deployment whose runs are containers, as a client of 2.0a7 makes it."""

    headers = {}

    def __init__(self, port, image, socket=None):
        # By TCP this client waits 40 ms for an acknowledgement between a request's head and its
        # body; `prefectctl` goes by the socket.
        road = httpx.HTTPTransport(uds=socket) if socket else None
        base = f"http://127.0.0.1:{port}/api"
        self.http = httpx.Client(
            base_url=base, timeout=PATIENCE, transport=road, headers=self.headers
        )
        self.await_answer()
        flow = self.post("/flows/", {"name": "dispatch"})
        deployment = {"name": "dispatch", "flow_id": flow["id"], **self.settings(image)}
        self.deployment = self.post("/deployments/", deployment)

    def settings(self, image):
        return {
            "flow_data": {"encoding": "text", "blob": ""},
            "flow_runner": {"type": "docker", "config": {"image": image}},
        }

    def await_answer(self):
        # The real server takes long to begin on a busy machine.
        for _ in range(3 * PATIENCE * 10):
            try:
                # The real server of 2.0a7 has no such route, and says so.
                if self.http.get("/health").status_code in (200, 404):
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        sys.exit("the server does not answer")

    def post(self, path, body):
        answer = self.http.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    def run(self):
        """Asks for a run now, and answers its id."""
        path = f"/deployments/{self.deployment['id']}/create_flow_run"
        return self.post(path, {"state": {"type": "SCHEDULED"}})["id"]


class PoolApi(Api):
    """The same as a client of 3.9.1 makes it, in a work pool of Prefect's own template."""

    headers = {"User-Agent": "prefect/3.9.1 (API 0.8.4)", "X-PREFECT-API-VERSION": "0.8.4"}

    def settings(self, image):
        known = self.http.get("/collections/views/aggregate-worker-metadata").json()
        template = known["prefect-docker"]["docker"]["default_base_job_configuration"]
        pool = {"name": "dispatch", "type": "docker", "base_job_template": template}
        self.post("/work_pools/", pool)
        return {
            "work_pool_name": "dispatch",
            "entrypoint": "flow.py:flow",
            "job_variables": {"image": image},
        }


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(words, home, **env):
    log = open(pathlib.Path(home) / "log", "ab")
    env = {**os.environ, "HOME": home, **env}
    return subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def stop(processes):
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait(PATIENCE)


def measure(engine, begin, rounds, pause):
    begin and engine.millis(begin)  # the first one warms what is cold
    times = []
    for _ in range(rounds):
        time.sleep(pause)
        times.append(engine.millis(begin))
    return times


def of_prefectd(engine, program, rounds, dialect):
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        words = [program, "--listen", f"127.0.0.1:{port}", "--log-format", "text"]
        words += ["--state-dir", f"{home}/state", "--socket", f"{home}/prefectd.sock"]
        process = start(words, home)
        try:
            api = dialect(port, engine.image, socket=f"{home}/prefectd.sock")
            return measure(engine, api.run, rounds, 0.5)
        finally:
            stop([process])


def of_the_real_agent(engine, rounds):
    bin = pathlib.Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        words = [bin / "uvicorn", "prefect.orion.api.server:app", "--port", str(port)]
        server = start(words, home, PREFECT_ORION_SERVICES_RUN_IN_APP="false")
        running = [server]
        try:
            api = Api(port, engine.image)
            host = f"http://127.0.0.1:{port}/api/"
            running.insert(0, start([bin / "prefect", "agent", "start"], home, PREFECT_ORION_HOST=host))
            engine.grace = 3
            # Not in step with its polls.
            return measure(engine, api.run, rounds, 1.7)
        finally:
            stop(running)


def told(what, times):
    middle, worst = statistics.median(times), max(times)
    print(f"| {what} | {middle:.1f} | {worst:.1f} | {len(times)} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--prefectd", required=True)
    parser.add_argument("--image", required=True)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--real-rounds", type=int, default=6)
    args = parser.parse_args()
    engine = Engine(args.image)
    alone = measure(engine, engine.create, args.rounds, 0.5)
    ours = of_prefectd(engine, args.prefectd, args.rounds, Api)
    pools = of_prefectd(engine, args.prefectd, args.rounds, PoolApi)
    real = of_the_real_agent(engine, args.real_rounds) if args.real_rounds else []
    print("| from the request to the container's creation | median ms | worst ms | rounds |")
    print("|---|---|---|---|")
    told("the engine alone", alone)
    told("prefectd, a deployment of 2.0a7", ours)
    told("prefectd, a docker pool of 3.9.1", pools)
    if real:
        told("the real 2.0a7 server and agent", real)
    for what, times in [("a deployment of 2.0a7", ours), ("a docker pool of 3.9.1", pools)]:
        beyond = statistics.median(times) - statistics.median(alone)
        print(f"\nFor {what} prefectd takes {beyond:.1f} ms beyond the engine's own time.")


if __name__ == "__main__":
    main()
