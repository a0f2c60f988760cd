"""The map language. Reading order: values, document, compiler."""
