"""The worker: runs queued jobs in a few threads until it is told to stop."""

import asyncio

from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.jobs import DeleteJobCondition
from procrastinate.psycopg_connector import PsycopgConnector

from crm.jobs.running import remember_job

THREADS = 4
# A worker that is stopped lets jobs end for so long; what it breaks off then runs again later.
STOP_SECONDS = 8.0


def run_worker(*, wait: bool = True) -> None:
    """Run jobs until SIGINT or SIGTERM; with `wait` off, until the queue is empty."""
    connector = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=THREADS)
    with app.replace_connector(connector) as worker_app:
        asyncio.run(_run(worker_app, wait=wait))


async def _run(worker_app: App, *, wait: bool) -> None:
    async with worker_app.open_async():
        await worker_app.run_worker_async(
            wait=wait,
            concurrency=THREADS,
            # A finished job holds addresses of persons and serves nobody; failures stay a while.
            delete_jobs=DeleteJobCondition.SUCCESSFUL,
            shutdown_graceful_timeout=STOP_SECONDS,
            task_middleware=[remember_job],
        )
