"""The map language. Reading order: values, document, transforms, compiling.compiler, checks."""
