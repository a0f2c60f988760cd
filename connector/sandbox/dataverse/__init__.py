"""The Dataverse stand-in. Reading order: app, service, then the room of the request."""
