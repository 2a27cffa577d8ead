"""Celery: what was uploaded is screened in the background, once, however often a task is run.

from celery_tasks import screen
screen.delay("p-4711", "/uploads/p-4711.jpg", "https://platform.example/p/4711")
"""

import os
from functools import lru_cache

from celery import shared_task

from egide.client import Client, Retries, TooManyRequests, Unavailable, Unreachable


@lru_cache(maxsize=1)
def _client(_process: int) -> Client:
    # Celery asks again by itself, and its workers have better things to do than to wait.
    return Client.from_environment(retries=Retries(attempts=2, patience=10))


def client() -> Client:
    """The client of this process: a worker that was forked needs its own."""
    return _client(os.getpid())


@shared_task(
    bind=True,
    acks_late=True,  # a task whose worker was killed is run again
    autoretry_for=(Unreachable, Unavailable, TooManyRequests),
    retry_backoff=5,
    retry_backoff_max=3600,
    retry_jitter=True,
    max_retries=20,
)
def screen(self, content_id, path, url=None):
    """The verdict on a file: its action, and the id of its record.

    The task's id is the Idempotency-Key: a task that is run twice is screened once.
    """
    scanned = client().scan_file(
        path, content_id=content_id, content_url=url, remember=True, idempotency_key=self.request.id
    )
    return {"content_id": content_id, "action": str(scanned.action), "verdict": scanned.id}
