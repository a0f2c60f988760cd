"""`dualwrite demo`: its stories and the people in them."""
