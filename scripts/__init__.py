"""Commands of the workshop; nothing of the service imports them."""
