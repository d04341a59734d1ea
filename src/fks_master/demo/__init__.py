"""A simulated FKS stack: real HTTP servers on loopback that misbehave on a script."""
