"""How the clock's workers take words from Redis, and what they do when one of them dies."""

from typing import Any

from kombu import Exchange, Queue

QUEUES = ("releases", "house")  # long work, and what must not wait behind it


def options(address: str, *, hands: int) -> dict[str, Any]:
    """Celery's own settings, for this Redis and so many releases at once on one machine."""
    exchange = Exchange("clock")
    return {
        "broker_url": address,
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_acks_late": True,  # a word is done with when its work is, not before
        "task_reject_on_worker_lost": True,
        "task_queues": [Queue(name, exchange, routing_key=name) for name in QUEUES],
        "task_routes": {name: {"queue": "releases"} for name in ("clock.load", "clock.check")},
        "task_default_queue": "house",
        "task_default_exchange": "clock",
        "task_default_routing_key": "house",
        "worker_concurrency": hands,
        "worker_prefetch_multiplier": 1,
        "worker_enable_remote_control": False,  # whoever reaches Redis gives no orders
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # the lease holds
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            # A word whose worker died comes back after so long; whoever is still at it has a
            # living lease.
            "visibility_timeout": 60,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 2,
            "socket_timeout": 10,  # longer than a worker listens for words
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        "beat_scheduler": "config.beats.Schedule",
        "beat_max_loop_interval": 1,
        "timezone": "UTC",
    }
