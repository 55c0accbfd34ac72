"""A small client for recipients and stewards. It shares no line with the service it talks to."""

from sayso_client.door import Door, Way
from sayso_client.packages import Checked, fetch, verify
from sayso_client.trouble import Trouble

__all__ = ["Checked", "Door", "Trouble", "Way", "fetch", "verify"]
