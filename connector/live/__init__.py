"""The parts of live mode that know no side and no map: being woken, asked, and replaced."""
