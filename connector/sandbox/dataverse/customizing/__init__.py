"""Tables, columns, keys and relationships made and changed at run time."""
