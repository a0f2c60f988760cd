"""Maps that come from dual-write, and maps that go there."""
