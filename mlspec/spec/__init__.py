"""The language: sections of a spec, and the way from a tree with origins to a `Spec`."""
