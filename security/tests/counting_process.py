"""A process that counts calls beside others, as the server's processes do.

`python -m security.tests.counting_process MODE CALLS THREADS` says `ready`, waits for a line, makes
the calls and prints how many were let through. Rates and stores come from its environment.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.http import HttpRequest

from crm.api.errors import ApiError
from security.rate_limits.exact import reserve_failure
from security.rate_limits.general import check_general
from security.request.actors import ANONYMOUS

ADDRESS = "203.0.113.7"
START_SECONDS = 30.0


def call_from(address: str) -> HttpRequest:
    """Return a request as RequestContextMiddleware passes it on."""
    request = HttpRequest()
    request.client_ip = address  # type: ignore[attr-defined]
    return request


def fail_once() -> bool:
    """Make a wrong attempt to sign in; tell whether it was judged."""
    try:
        with reserve_failure("login", call_from(ADDRESS)):
            return True
    except ApiError:
        return False


def call_once() -> bool:
    """Make an ordinary call; tell whether it was let through."""
    try:
        check_general(call_from(ADDRESS), ANONYMOUS)
    except ApiError:
        return False
    return True


def call_in_child() -> bool:
    """Make two ordinary calls, one here and one in a forked child; tell whether both went."""
    here = call_once()
    child = os.fork()
    if child == 0:
        os._exit(0 if call_once() else 1)
    return here and os.waitpid(child, 0)[1] == 0


MODES = {"exact": fail_once, "settled": call_once, "forked": call_in_child}


def count_in_threads(mode: str, calls: int, threads: int) -> int:
    """Make the calls in parallel and return how many were let through."""
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(lambda _: MODES[mode](), range(calls)))


def count_in_processes(
    mode: str, *, processes: int, calls: int, threads: int, environment: Mapping[str, str]
) -> int:
    """Make `calls` calls in each of several processes at once; return the sum let through."""
    arguments = [sys.executable, "-m", __name__, mode, str(calls), str(threads)]
    with _started(arguments, processes, {**os.environ, **environment}) as children:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        return sum(int(child.communicate(timeout=START_SECONDS)[0]) for child in children)


@contextmanager
def _started(
    arguments: list[str], count: int, environment: dict[str, str]
) -> Iterator[list["subprocess.Popen[str]"]]:
    children = [
        subprocess.Popen(
            arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    try:
        yield children
    finally:
        for child in children:
            with child:
                child.kill()


if __name__ == "__main__":
    print("ready", flush=True)  # noqa: T201 (the process's answer)
    sys.stdin.readline()
    print(count_in_threads(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))  # noqa: T201 (same)
