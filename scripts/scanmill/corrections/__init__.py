"""What is done about a scan before anything is measured on it: noise, bias field, artefacts."""
