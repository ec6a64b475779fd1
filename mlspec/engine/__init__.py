"""Heavy machinery shared by steps and plug-ins: the door, the feature graph, training, scoring, profiles."""
