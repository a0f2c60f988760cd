"""Local stand-ins that speak the real wire protocols over TLS."""
