"""Corrections of points that somebody asks for: judged, posted once, answered in words."""
