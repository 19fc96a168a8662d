"""Tests of the OCSP responder."""
