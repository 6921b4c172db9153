"""The methods of a run as text for a paper, with the references of those that were used."""
