"""Where objects go whose place is a bucket name: folders, or an S3 endpoint that the operator configures."""

from ca.sinks.folder import FolderSink
from ca.sinks.s3 import S3Endpoint, S3Sink
from ca.sinks.signature import Credentials
from ca.sinks.sink import ObjectSink

__all__ = ["Credentials", "FolderSink", "ObjectSink", "S3Endpoint", "S3Sink"]
