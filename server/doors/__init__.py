"""The doors: bytes in, bytes out. AWS calls go straight to the pipeline; everything else goes through Flask."""

from server.doors.wsgi import make_wsgi

__all__ = ["make_wsgi"]
