"""How far a run is: what it notes while it works, and what that and its results tell."""
