"""Sales, returns and activities: what happened at a till, and the points it earned."""
