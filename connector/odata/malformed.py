"""The one error of the wire layer.

Owns: what a reader of this package raises when bytes or text break the format.
Never does: naming a side or a remedy; a server answers 400, a client translates it into
`connector.errors`, because only they know whose bytes these were.
Tested in: tests/unit/odata/.
"""


class MalformedError(ValueError):
    """Text or bytes that are not the OData form they should be; the message says what broke."""
