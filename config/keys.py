"""How things are named in the cache: by a digest, since other people's code puts addresses there."""

from django.utils.crypto import salted_hmac


def blinded(key: str, prefix: str, version: int) -> str:
    """A name that tells neither an address nor a sign-in name, also to who reads all of Redis."""
    return f"sayso:{version}:{salted_hmac('config.keys', f'{prefix}:{key}').hexdigest()}"
